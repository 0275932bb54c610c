//go:build e2e

package e2e

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// handsOver gives a running service to a team and takes it back: nothing that
// runs changes.
func (tv theater) handsOver(t *testing.T) {
	const service = "acme-streaming"
	type state struct {
		pods       map[string]bool
		restarts   int32
		deployment string
		generation int64
	}
	look := func() state {
		d := get(t, tv.namespace, service+"-blue", &appsv1.Deployment{})
		s := state{pods: podUIDs(t, tv.namespace, service), deployment: string(d.UID), generation: d.Generation}
		for _, p := range pods(t, tv.namespace, service) {
			for _, c := range p.Status.ContainerStatuses {
				s.restarts += c.RestartCount
			}
		}
		return s
	}
	before := look()
	steps := []struct {
		what, services string
		controlled     bool
	}{
		{"its team writes the Microservice", `[{"name": "streaming", "managedBy": "Team"}]`, false},
		{"the platform writes the Microservice", `[]`, true},
	}
	for _, step := range steps {
		patchPlatform(t, tv.namespace, tv.name, `{"spec": {"services": `+step.services+`}}`)
		eventually(t, step.what, func() string {
			m := get(t, tv.namespace, service, &v1alpha1.Microservice{})
			if (metav1.GetControllerOf(m) != nil) != step.controlled {
				return "not yet"
			}
			return ""
		})
		waitSettled(t, tv.namespace, tv.name)
		if diff := cmp.Diff(before, look(), cmp.AllowUnexported(state{})); diff != "" {
			t.Errorf("when %s (-before +after):\n%s", step.what, diff)
		}
		checkPlayback(t, tv.url)
	}
}
