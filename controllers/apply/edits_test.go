package apply

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestEditOf(t *testing.T) {
	const replicas, image = `{"f:spec":{"f:replicas":{}}}`, `{"f:spec":{"f:template":{"f:image":{}}}}`
	entry := func(manager, fields, subresource string, second int64) metav1.ManagedFieldsEntry {
		at := metav1.NewTime(time.Unix(second, 0))
		return metav1.ManagedFieldsEntry{Manager: manager, FieldsV1: metav1.NewFieldsV1(fields), Subresource: subresource, Time: &at}
	}
	ours := entry(FieldManager, replicas, "", 9)
	cases := map[string]struct {
		managers []metav1.ManagedFieldsEntry
		reason   string
		want     string
	}{
		"by hand":                {[]metav1.ManagedFieldsEntry{ours, entry("kubectl-edit", replicas, "", 1)}, "spec.replicas was changed by others", "spec.replicas kubectl-edit"},
		"by kubectl scale":       {[]metav1.ManagedFieldsEntry{entry("kubectl", replicas, "scale", 1)}, "spec.replicas was changed by others", "spec.replicas kubectl"},
		"the last of two":        {[]metav1.ManagedFieldsEntry{entry("old", replicas, "", 1), entry("new", replicas, "", 2)}, "spec.replicas was changed by others", "spec.replicas new"},
		"in a list":              {[]metav1.ManagedFieldsEntry{entry("x", image, "", 1), entry("y", replicas, "", 2)}, "spec.template.containers[0].image was changed by others", "spec.template.containers[0].image x"},
		"removed":                {[]metav1.ManagedFieldsEntry{ours}, "spec.replicas was changed by others", "spec.replicas "},
		"a status is none":       {[]metav1.ManagedFieldsEntry{entry("x", replicas, "status", 1)}, "spec.replicas was changed by others", "spec.replicas "},
		"an autoscaler":          {[]metav1.ManagedFieldsEntry{entry(controllerManager, replicas, "scale", 1)}, "spec.replicas was changed by others", ""},
		"metadata":               {[]metav1.ManagedFieldsEntry{entry("x", replicas, "", 1)}, "metadata.labels.a was changed by others", ""},
		"the wanted state":       {nil, wantedChanged, ""},
		"an object that is made": {nil, missing, ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "d", ManagedFields: tc.managers}}
			got := ""
			if e := editOf("Deployment", d, tc.reason); e != nil {
				got = e.Path + " " + e.Manager
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
