package operator

import (
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	eventsv1 "k8s.io/api/events/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// by writes as a program of that name.
func by[T client.Object](w *world, manager string, object T, edit func(T)) {
	w.Helper()
	get(w, object.GetName(), object)
	before := object.DeepCopyObject().(client.Object)
	edit(object)
	if err := w.client.Patch(w.Context(), object, client.MergeFrom(before), client.FieldOwner(manager)); err != nil {
		w.Fatal(err)
	}
}

// told counts the events of an edit that was set back.
func (w *world) told(about client.Object) int {
	w.Helper()
	list := &eventsv1.EventList{}
	if err := w.client.List(w.Context(), list, client.InNamespace(w.namespace)); err != nil {
		w.Fatal(err)
	}
	n := 0
	for _, e := range list.Items {
		if e.Reason == v1alpha1.ConditionEditReverted && e.Regarding.UID == about.GetUID() {
			n++
		}
	}
	return n
}

func TestEditsByHandAreSetBackAndTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	p := w.platform(`{services: [{name: search, image: "registry.test/search:1", replicas: 2}]}`)
	w.ready(p)
	team := w.microservice("mine", searchFixed(2))
	w.ready(team)
	o.settle()
	search := get(w, "acme-search", &v1alpha1.Microservice{})

	t.Log("A Microservice of the platform, scaled by hand.")
	scale := &autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: 5}}
	err := w.client.SubResource("scale").Update(t.Context(), search.DeepCopy(), client.WithSubResourceBody(scale), client.FieldOwner("kubectl"))
	if err != nil {
		t.Fatal(err)
	}
	w.becomes(p, v1alpha1.ConditionEditReverted, v1alpha1.ReasonEditedByOthers,
		"Microservice acme-search: spec.replicas was changed by kubectl and set back; change spec.services[name=search].replicas of StreamingPlatform acme instead")
	w.ready(p)

	t.Log("Its Deployment, edited by hand.")
	d := &appsv1.Deployment{}
	d.Name, d.Namespace = "acme-search-blue", w.namespace
	by(w, "kubectl-edit", d, func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = "registry.test/evil:1" })
	w.becomes(search, v1alpha1.ConditionEditReverted, v1alpha1.ReasonEditedByOthers,
		"Deployment acme-search-blue: spec.template.spec.containers[0].image was changed by kubectl-edit and set back; change spec.services[name=search].image of StreamingPlatform acme instead")
	w.ready(search)

	t.Log("A Deployment of a team's Microservice.")
	d.Name = "mine-blue"
	by(w, "kubectl-edit", d, func(d *appsv1.Deployment) { d.Spec.Replicas = new(int32(7)) })
	w.becomes(team, v1alpha1.ConditionEditReverted, v1alpha1.ReasonEditedByOthers, "change spec.replicas of Microservice mine instead")
	w.ready(team)

	t.Log("One event for each, however often it is looked at, and however often the same edit is set back.")
	by(w, "kubectl-edit", d, func(d *appsv1.Deployment) { d.Spec.Replicas = new(int32(8)) })
	w.eventually(func() error {
		if n := w.replicas("mine-blue"); n != 2 {
			return fmt.Errorf("%d replicas", n)
		}
		return nil
	})
	o.settle()
	o.idle()
	for _, about := range []client.Object{p, search, team} {
		w.eventually(func() error {
			if n := w.told(about); n != 1 {
				return fmt.Errorf("%d events about %s", n, about.GetName())
			}
			return nil
		})
	}

	t.Log("The next change of the resource ends it.")
	change(w, team, func(m *v1alpha1.Microservice) { m.Spec.Replicas = new(int32(3)) })
	w.ready(team)
	if apimeta.IsStatusConditionTrue(team.Status.Conditions, v1alpha1.ConditionEditReverted) {
		t.Errorf("still told: %v", team.Status.Conditions)
	}
}

func TestOthersWritesAreNoEdits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	m := w.microservice("search", searchScaled)
	w.ready(m)
	d := get(w, "search-blue", &appsv1.Deployment{})
	by(w, "kubectl-rollout", d, func(d *appsv1.Deployment) {
		d.Spec.Template.Annotations = map[string]string{"kubectl.kubernetes.io/restartedAt": "now"}
	})
	if err := w.scale(t.Context(), d, 4); err != nil {
		t.Fatal(err)
	}
	w.becomes(m, v1alpha1.ConditionReady, v1alpha1.ReasonAvailable, "4 pods")
	change(w, m, setReplicas(3))
	w.becomes(m, v1alpha1.ConditionReady, v1alpha1.ReasonAvailable, "3 pods")
	change(w, m, setAutoscaling)
	w.ready(m)
	o.settle()
	for _, c := range m.Status.Conditions {
		if strings.Contains(c.Type, v1alpha1.ConditionEditReverted) {
			t.Errorf("told: %v", c)
		}
	}
	if n := w.told(m); n > 0 {
		t.Errorf("%d events", n)
	}
}
