//go:build e2e

package e2e

import (
	"maps"
	"strings"
	"testing"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// TestBadInput applies what people get wrong: each is refused with a message
// that names the field, or shown in the status with the fix, and what runs
// stays as it is.
func TestBadInput(t *testing.T) {
	ns := namespace(t, "mistakes")
	sample(t, ns, "minimal.yaml")
	waitReady(t, ns, "acme")
	before := tv(ns).uids(t, "acme-gateway", "acme-streaming")
	refused := map[string]struct{ spec, message string }{
		"unknown field":     {"{sevices: []}", `unknown field "spec.sevices"`},
		"negative replicas": {"{services: [{name: gateway, replicas: -1}]}", "spec.services[0].replicas"},
		"min over max":      {"{services: [{name: gateway, autoscaling: {minReplicas: 5, maxReplicas: 2}}]}", "minReplicas must not exceed maxReplicas"},
		"bad image":         {"{services: [{name: gateway, image: 'Not An Image'}]}", "spec.services[0].image"},
		"duplicate names":   {"{services: [{name: gateway}, {name: gateway}]}", "spec.services[1]"},
		"name too long":     {"{services: [{name: " + strings.Repeat("a", 41) + "}]}", "spec.services[0].name"},
		"two scales":        {"{services: [{name: gateway, replicas: 1, autoscaling: {minReplicas: 1, maxReplicas: 2}}]}", "mutually exclusive"},
	}
	manifest := func(spec string) string {
		return "apiVersion: streamplane.dev/v1alpha1\nkind: StreamingPlatform\nmetadata: {name: acme}\nspec: " + spec + "\n"
	}
	for name, tc := range refused {
		out, err := kubectlApply(t, ns, manifest(tc.spec))
		if err == nil || !strings.Contains(out, tc.message) {
			t.Errorf("%s: want a refusal with %q, got: %v %s", name, tc.message, err, out)
		}
	}
	if out, err := kubectlApply(t, ns, manifest("{services: [{name: search}]}")); err != nil {
		t.Fatal(out)
	}
	eventually(t, "the status names the mistake", func() string {
		p := get(t, ns, "acme", &v1alpha1.StreamingPlatform{})
		stalled := condition(p.Status.Conditions, v1alpha1.ConditionStalled)
		if !strings.Contains(stalled, "InvalidSpec: services[search].image") {
			return stalled
		}
		return ""
	})
	if now := tv(ns).uids(t, "acme-gateway", "acme-streaming"); !maps.Equal(now, before) {
		t.Errorf("pods changed: %v, were %v", now, before)
	}
}
