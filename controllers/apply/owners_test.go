package apply

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestOwners(t *testing.T) {
	entry := func(manager, fields string) metav1.ManagedFieldsEntry {
		return metav1.ManagedFieldsEntry{Manager: manager, FieldsV1: metav1.NewFieldsV1(fields)}
	}
	o := &metav1.ObjectMeta{ManagedFields: []metav1.ManagedFieldsEntry{
		entry("streamplane", `{"f:spec":{"f:image":{},"f:replicas":{}}}`),
		entry("kubectl", `{"f:spec":{"f:replicas":{}}}`),
		entry("kubectl", `{"f:spec":{"f:replicas":{}}}`), // by another operation
		entry("status", `{"f:status":{"f:replicas":{}}}`),
		entry("broken", `{`),
		{Manager: "empty"},
	}}
	if diff := cmp.Diff([]string{"streamplane", "kubectl"}, Owners(o, ReplicasField)); diff != "" {
		t.Errorf("owners (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"kubectl"}, Outsiders(o, ReplicasField)); diff != "" {
		t.Errorf("outsiders (-want +got):\n%s", diff)
	}
}
