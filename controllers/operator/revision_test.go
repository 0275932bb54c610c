package operator

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
)

const finder = `{platformRef: {name: acme}, replicas: 2, image: "registry.test/finder:1"}`

// wants sets the image of a Microservice.
func (w *world) wants(m *v1alpha1.Microservice, image string) {
	w.Helper()
	change(w, m, func(m *v1alpha1.Microservice) { m.Spec.Image = image })
}

// runs waits until the Deployment of finder has an image.
func (w *world) runs(image string) *appsv1.Deployment {
	w.Helper()
	d := &appsv1.Deployment{}
	w.eventually(func() error {
		get(w, "finder-blue", d)
		if is := d.Spec.Template.Spec.Containers[0].Image; is != image {
			return fmt.Errorf("runs %s, want %s", is, image)
		}
		return nil
	})
	return d
}

// revisions are the numbers of what is remembered, by image, and what became of it.
func (w *world) revisions() map[string]string {
	w.Helper()
	list := &appsv1.ControllerRevisionList{}
	if err := w.client.List(w.Context(), list, client.InNamespace(w.namespace)); err != nil {
		w.Fatal(err)
	}
	all := map[string]string{}
	for i := range list.Items {
		r, err := desired.ReadRevision(&list.Items[i])
		if err != nil {
			w.Fatal(err)
		}
		text := fmt.Sprint(list.Items[i].Revision)
		if list.Items[i].Annotations["streamplane.dev/good"] != "" {
			text += " good"
		}
		if list.Items[i].Annotations["streamplane.dev/failure"] != "" {
			text += " failed"
		}
		all[strings.TrimPrefix(r.Spec.Image, "registry.test/finder:")] = text
	}
	return all
}

func (w *world) remembers(want map[string]string) {
	w.Helper()
	w.eventually(func() error {
		if diff := cmp.Diff(want, w.revisions()); diff != "" {
			return fmt.Errorf("revisions (-want +got):\n%s", diff)
		}
		return nil
	})
}

// A revision whose pods cannot run gives way to the last good one, stays away
// until the specification changes or retry asks for it, and nothing of that is
// lost with the status or the operator.
func TestABadRevisionGivesWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.microservice("finder", finder)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	w.ready(m)
	w.remembers(map[string]string{"1": "1 good"})

	w.wants(m, "registry.test/finder:bad")
	w.becomes(m, v1alpha1.ConditionStalled, v1alpha1.ReasonRolledBack, "registry.test/finder:1 runs again")
	w.runs("registry.test/finder:1")
	w.remembers(map[string]string{"1": "1 good", "bad": "2 failed"})
	if apimeta.IsStatusConditionTrue(m.Status.Conditions, v1alpha1.ConditionReady) || m.Status.FailedRevision != m.Status.UpdateRevision ||
		m.Status.CurrentRevision == m.Status.UpdateRevision {
		t.Errorf("status %+v", m.Status)
	}
	w.settled(o)

	w.scalesMeanwhile(m)

	o.stop()
	w.wipe(m)
	o = w.start(catalog("1.0.0"))
	w.becomes(m, v1alpha1.ConditionStalled, v1alpha1.ReasonRolledBack, "registry.test/finder:bad failed")
	w.settled(o)

	generation := w.runs("registry.test/finder:1").Generation
	change(w, m, func(m *v1alpha1.Microservice) { m.Spec.Rollout = &v1alpha1.Rollout{Retry: "now"} })
	w.remembers(map[string]string{"1": "1 good", "bad": "3 failed"})
	w.becomes(m, v1alpha1.ConditionStalled, v1alpha1.ReasonRolledBack, "")
	if d := w.runs("registry.test/finder:1"); d.Generation < generation+2 {
		t.Errorf("generation %d, was %d: it was not tried", d.Generation, generation)
	}

	w.wants(m, "registry.test/finder:2")
	w.ready(m)
	w.runs("registry.test/finder:2")
	w.remembers(map[string]string{"1": "1 good", "bad": "3 failed", "2": "4 good"})
	w.wants(m, "registry.test/finder:1")
	w.ready(m)
	w.remembers(map[string]string{"1": "5 good", "bad": "3 failed", "2": "4 good"})
	w.settled(o)
}

// scalesMeanwhile says that scaling waits for no revision.
func (w *world) scalesMeanwhile(m *v1alpha1.Microservice) {
	w.Helper()
	change(w, m, func(m *v1alpha1.Microservice) { m.Spec.Replicas = new(int32(3)) })
	w.eventually(func() error {
		if n := *w.runs("registry.test/finder:1").Spec.Replicas; n != 3 {
			return fmt.Errorf("%d pods, want 3", n)
		}
		return nil
	})
}

// settled says that nothing is left to do.
func (w *world) settled(o *running) {
	w.Helper()
	o.settle()
	o.idle()
}

// The operator renders a revision once: what it would render now rolls no pod.
func TestRevisionsAreNotRenderedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.microservice("finder", finder)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	w.ready(m)
	o.stop()
	// As an operator of another version had rendered it.
	stored := get(w, m.Status.CurrentRevision, &appsv1.ControllerRevision{})
	revision, err := desired.ReadRevision(stored)
	if err != nil {
		t.Fatal(err)
	}
	container := &revision.Template.Spec.Containers[0]
	container.Env = append(container.Env, corev1.EnvVar{Name: "OLD", Value: "yes"})
	again := revision.Object(m, stored.Revision)
	again.Annotations, again.OwnerReferences = stored.Annotations, stored.OwnerReferences
	w.remove(stored)
	w.create(again)

	o = w.start(catalog("1.0.0"))
	has := func(want bool) {
		t.Helper()
		w.eventually(func() error {
			env := get(w, "finder-blue", &appsv1.Deployment{}).Spec.Template.Spec.Containers[0].Env
			if is := fmt.Sprint(env); strings.Contains(is, "OLD") != want {
				return fmt.Errorf("env %s", is)
			}
			return nil
		})
	}
	has(true)
	w.settled(o)
	w.wants(m, "registry.test/finder:2")
	has(false)
	w.ready(m)
}

// Only a new revision waits for what spec.rollout.hold names.
func TestHold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const hold = "waits for billing"
	m := w.microservice("finder", `{platformRef: {name: acme}, replicas: 2, image: "registry.test/finder:1", rollout: {hold: `+hold+`}}`)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	w.ready(m) // the first start waits for nobody

	w.wants(m, "registry.test/finder:2")
	w.becomes(m, v1alpha1.ConditionReconciling, v1alpha1.ReasonHeld, hold)
	w.settled(o)
	w.scalesMeanwhile(m)
	w.remove(get(w, "finder-blue", &appsv1.Deployment{}))
	appears(w, "finder-blue", &appsv1.Deployment{})
	w.runs("registry.test/finder:1")
	w.remembers(map[string]string{"1": "1 good"}) // a repair is no new attempt

	change(w, m, func(m *v1alpha1.Microservice) { m.Spec.Rollout.Hold = "" })
	w.ready(m)
	w.runs("registry.test/finder:2")
	change(w, m, func(m *v1alpha1.Microservice) { m.Spec.Image, m.Spec.Rollout.Hold = "registry.test/finder:1", hold })
	w.ready(m) // going back does not wait
	w.runs("registry.test/finder:1")
}

// Only so many revisions are remembered, and always the last good one.
func TestHistoryLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.microservice("finder", `{platformRef: {name: acme}, replicas: 1, image: "registry.test/finder:1", rollout: {historyLimit: 1}}`)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	w.ready(m)
	for _, tag := range []string{"2", "3", "4"} {
		w.wants(m, "registry.test/finder:"+tag)
		w.ready(m)
		w.runs("registry.test/finder:" + tag)
	}
	w.remembers(map[string]string{"2": "2 good", "3": "3 good", "4": "4 good"}) // 3 is the last good one
	w.remove(get(w, m.Status.CurrentRevision, &appsv1.ControllerRevision{}))
	w.remembers(map[string]string{"2": "2 good", "3": "3 good", "4": "4 good"})
	w.settled(o)
	change(w, m, func(m *v1alpha1.Microservice) { m.Spec.Rollout.HistoryLimit = new(int32(0)) })
	w.remembers(map[string]string{"3": "3 good", "4": "4 good"})
	w.remove(m)
}

// A ControllerRevision of others is not touched.
func TestRevisionOfOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	foreign := w.revisionOfOthers("finder", finder)
	w.start(catalog("1.0.0"))
	m := w.microservice("finder", finder)
	w.becomes(m, v1alpha1.ConditionStalled, v1alpha1.ReasonNameConflict, "ControllerRevision "+foreign.Name+" exists")
	w.untouched(foreign)
	w.remove(foreign)
	w.playControllers()
	w.ready(m)
}

// revisionOfOthers takes the name of the revision that a Microservice would have.
func (w *world) revisionOfOthers(name, spec string) *appsv1.ControllerRevision {
	w.Helper()
	foreign := &appsv1.ControllerRevision{Revision: 7, Data: runtime.RawExtension{Raw: []byte("{}")}}
	foreign.Name = w.revisionOf(name, spec)
	w.create(foreign)
	return foreign
}

// revisionOf is the name of the revision that a Microservice would have.
func (w *world) revisionOf(name, spec string) string {
	w.Helper()
	m := &v1alpha1.Microservice{}
	if err := yaml.UnmarshalStrict([]byte("{metadata: {name: "+name+"}, spec: "+spec+"}"), m); err != nil {
		w.Fatal(err)
	}
	return desired.RevisionOf(m, desired.SlotBlue, "").Name
}
