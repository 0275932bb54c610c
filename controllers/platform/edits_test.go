package platform

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/apply"
)

func TestAdviceOnEdits(t *testing.T) {
	o := observedOf(seen{name: "a"})
	cases := map[string]string{
		"spec.replicas":                "change spec.services[name=a].replicas of StreamingPlatform acme instead",
		"spec.autoscaling.maxReplicas": "change spec.services[name=a].autoscaling.maxReplicas of StreamingPlatform acme instead",
		"spec.env[3].value":            "change spec.services[name=a].env of StreamingPlatform acme instead",
		"spec.platformRef.name":        "the operator decides it",
		"spec.routes":                  "the operator decides it",
	}
	for path, want := range cases {
		edit := apply.Edit{Kind: "Microservice", Name: "acme-a", Path: path, Manager: "kubectl-edit"}
		want = "Microservice acme-a: " + path + " was changed by kubectl-edit and set back; " + want
		if diff := cmp.Diff([]string{want}, adviceOn(o.platform, o.wanted, []apply.Edit{edit})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

// What only a Microservice has cannot be changed in a platform.
func TestFixedFieldsAreThoseOfMicroservicesOnly(t *testing.T) {
	var own []string
	for f := range reflect.TypeFor[v1alpha1.MicroserviceSpec]().Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			own = append(own, name)
		}
	}
	want := slices.Clone(fixed)
	slices.Sort(own)
	slices.Sort(want)
	if diff := cmp.Diff(want, own); diff != "" {
		t.Errorf("(-listed +fields):\n%s", diff)
	}
}
