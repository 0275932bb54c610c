package operator

import (
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

const searchScaled = `{platformRef: {name: acme}, image: "registry.test/search:1",
	autoscaling: {minReplicas: 2, maxReplicas: 9}, resources: {requests: {cpu: 100m}}}`

func searchFixed(n int) string {
	return fmt.Sprintf(`{platformRef: {name: acme}, image: "registry.test/search:1", replicas: %d, resources: {requests: {cpu: 100m}}}`, n)
}

// setReplicas and setAutoscaling change how a Microservice is scaled.
func setReplicas(n int32) func(*v1alpha1.Microservice) {
	return func(m *v1alpha1.Microservice) { m.Spec.Replicas, m.Spec.Autoscaling = new(n), nil }
}

func setAutoscaling(m *v1alpha1.Microservice) {
	m.Spec.Replicas, m.Spec.Autoscaling = nil, &v1alpha1.Autoscaling{MinReplicas: 2, MaxReplicas: 9}
}

func (w *world) replicas(name string) int32 {
	w.Helper()
	return *get(w, name, &appsv1.Deployment{}).Spec.Replicas
}

// everHad records every number of replicas that a Deployment had.
func (w *world) everHad(name string) func() []int32 {
	w.Helper()
	d := get(w, name, &appsv1.Deployment{})
	changes, err := w.client.Watch(w.Context(), &appsv1.DeploymentList{}, client.InNamespace(w.namespace),
		client.MatchingFields{"metadata.name": name}, &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: d.ResourceVersion}})
	if err != nil {
		w.Fatal(err)
	}
	return func() []int32 {
		w.Helper()
		last := get(w, name, &appsv1.Deployment{}).ResourceVersion
		had := []int32{*d.Spec.Replicas}
		for d.ResourceVersion != last {
			event, ok := <-changes.ResultChan()
			if !ok {
				w.Fatal("the watch ended")
			}
			d = event.Object.(*appsv1.Deployment)
			if n := *d.Spec.Replicas; n != had[len(had)-1] {
				had = append(had, n)
			}
		}
		changes.Stop()
		return had
	}
}

func TestTheAutoscalerOwnsTheNumberOfPods(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	m := w.microservice("search", searchScaled)
	w.ready(m)
	o.settle()
	mark := o.requests.mark()

	d := get(w, "search-blue", &appsv1.Deployment{})
	if err := w.scale(t.Context(), d, 7); err != nil {
		t.Fatal(err)
	}
	w.becomes(m, v1alpha1.ConditionReady, v1alpha1.ReasonAvailable, "7 pods")
	o.settle()
	o.idle()
	if n := w.replicas("search-blue"); n != 7 {
		t.Errorf("%d replicas, the autoscaler wants 7", n)
	}
	writes := o.requests.since(mark, func(r request) bool { return write(r) && to("deployments", "search-blue")(r) })
	if len(writes) > 0 {
		t.Errorf("the operator wrote to the Deployment while it scaled: %v", writes)
	}

	t.Log("A new image does not reset it.")
	had := w.everHad("search-blue")
	change(w, m, func(m *v1alpha1.Microservice) { m.Spec.Image = "registry.test/search:2" })
	w.ready(m)
	if got := had(); len(got) != 1 || got[0] != 7 {
		t.Errorf("it had %v replicas on the way", got)
	}
}

// An autoscaler takes a while to look at what is new; until then the least
// number of pods runs.
func TestAutoscalingStartsWithTheLeastNumber(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.microservice("search", searchScaled)
	appears(w, "search-blue", &appsv1.Deployment{})
	w.eventually(func() error {
		if n := w.replicas("search-blue"); n != 2 {
			return fmt.Errorf("%d replicas", n)
		}
		return nil
	})
	o.settle()
	o.idle()
}

// handOver is a change of who sets the number of pods, and what becomes of it.
type handOver struct {
	before string
	change func(*v1alpha1.Microservice)
	// had is every number of replicas on the way.
	had []int32
}

func (h handOver) check(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	m := w.microservice("search", h.before)
	w.becomes(m, v1alpha1.ConditionReady, "", "")
	o.settle()
	had := w.everHad("search-blue")
	change(w, m, h.change)
	w.becomes(m, v1alpha1.ConditionReady, "", "")
	o.settle()
	if got := had(); fmt.Sprint(got) != fmt.Sprint(h.had) {
		t.Errorf("it had %v replicas, want %v", got, h.had)
	}
	o.idle()
}

func TestHandOver(t *testing.T) {
	t.Parallel()
	cases := map[string]handOver{
		"fixed to autoscaling keeps the number":            {searchFixed(4), setAutoscaling, []int32{4}},
		"autoscaling to fixed sets the number":             {searchScaled, setReplicas(3), []int32{2, 3}},
		"fixed to another fixed":                           {searchFixed(4), setReplicas(1), []int32{4, 1}},
		"to zero":                                          {searchFixed(4), setReplicas(0), []int32{4, 0}},
		"zero to autoscaling, which zero would switch off": {searchFixed(0), setAutoscaling, []int32{0, 2}},
	}
	for name, tc := range cases {
		t.Run(name, tc.check)
	}
}

// There and back again: what the hand-over left must not hold the number.
func TestHandOverThereAndBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	m := w.microservice("search", searchFixed(4))
	w.ready(m)
	for _, n := range []int32{3, 5} {
		change(w, m, setAutoscaling)
		w.ready(m)
		o.settle()
		if err := w.scale(t.Context(), get(w, "search-blue", &appsv1.Deployment{}), 8); err != nil {
			t.Fatal(err)
		}
		w.becomes(m, v1alpha1.ConditionReady, v1alpha1.ReasonAvailable, "8 pods")
		change(w, m, setReplicas(n))
		w.becomes(m, v1alpha1.ConditionReady, v1alpha1.ReasonAvailable, fmt.Sprintf("%d pods", n))
		o.settle()
		if got := w.replicas("search-blue"); got != n {
			t.Errorf("%d replicas, want %d", got, n)
		}
	}
	o.idle()
}
