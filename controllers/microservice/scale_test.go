package microservice

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/controllers/apply"
)

func TestTrimOwners(t *testing.T) {
	entry := func(manager, fields string) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{
			Manager: manager, Operation: metav1.ManagedFieldsOperationApply, FieldsV1: metav1.NewFieldsV1(fields),
		}
	}
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "a", ManagedFields: []metav1.ManagedFieldsEntry{
		entry("kubectl-edit", `{"f:spec":{"f:replicas":{}}}`), entry("streamplane", `{"f:spec":{"f:replicas":{}}}`),
		entry("kube-controller-manager", `{"f:metadata":{}}`), entry("streamplane-scale", `{"f:spec":{"f:replicas":{}}}`),
	}}}
	if _, err := TrimOwners(d); err != nil || len(d.ManagedFields) != 3 || !owns(d, apply.FieldManager) || !owns(d, apply.ScaleManager) || owns(d, externalManager) || d.ManagedFields[0].Manager != "kubectl-edit" {
		t.Errorf("%v, %v", d.ManagedFields, err)
	}
	s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "a", ManagedFields: []metav1.ManagedFieldsEntry{entry("streamplane", `{"f:spec":{}}`)}}}
	if _, err := TrimOwners(s); err != nil || s.ManagedFields != nil || s.Name != "a" {
		t.Errorf("%v, %v", s.ManagedFields, err)
	}
}
