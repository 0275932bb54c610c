package desired

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

func TestFieldBehind(t *testing.T) {
	const pod = "spec.template.spec."
	cases := []struct{ kind, path, want string }{
		{"Deployment", "spec.replicas", "replicas"},
		{"Deployment", "spec.strategy.rollingUpdate.maxSurge", "rollout"},
		{"Deployment", "spec.revisionHistoryLimit", ""},
		{"Deployment", pod + "containers[0].image", "image"},
		{"Deployment", pod + "containers[0].imagePullPolicy", "imagePullPolicy"},
		{"Deployment", pod + "containers[0].env[2].value", "env"},
		{"Deployment", pod + "containers[0].envFrom", "envFrom"},
		{"Deployment", pod + "containers[0].resources.limits.memory", "resources"},
		{"Deployment", pod + "containers[0].securityContext.runAsUser", "podTemplate"},
		{"Deployment", pod + "initContainers[1].image", "initContainers or sidecars"},
		{"Deployment", pod + "nodeSelector", "nodeSelector"},
		{"HorizontalPodAutoscaler", "spec.maxReplicas", "autoscaling"},
		{"Service", "spec.selector", ""},
		{"Service", "spec.ports[0].port", "ports"},
		{"ServiceAccount", "automountServiceAccountToken", ""},
	}
	for _, tc := range cases {
		if got := FieldBehind(tc.kind, tc.path); got != tc.want {
			t.Errorf("%s %s: %q, want %q", tc.kind, tc.path, got, tc.want)
		}
	}
}

// The fields that are named must exist.
func TestFieldsBehindExist(t *testing.T) {
	known := map[string]bool{}
	for f := range reflect.TypeFor[v1alpha1.WorkloadSpec]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		known[name] = true
	}
	var named []string
	for _, rows := range behind {
		for _, row := range rows {
			for field := range strings.SplitSeq(strings.ReplaceAll(row.field, " or ", ", "), ", ") {
				named = append(named, top(field))
			}
		}
	}
	for _, names := range sameName {
		named = append(named, names...)
	}
	for _, name := range named {
		if !known[name] {
			text, _ := json.Marshal(known)
			t.Errorf("%q is no field: %s", name, text)
		}
	}
}
