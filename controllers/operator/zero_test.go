package operator

import (
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// encoders waits until the Deployment of encoder is to have so many pods.
func (w *world) encoders(n int32) {
	w.Helper()
	w.eventually(func() error {
		if is := *get(w, "encoder-blue", &appsv1.Deployment{}).Spec.Replicas; is != n {
			return fmt.Errorf("%d pods, want %d", is, n)
		}
		return nil
	})
}

// A service has no pod while its source has nothing for it to do, and is ready all
// the same; work, a schedule, and the end of scaling to zero bring pods back. What
// cannot be read moves nothing.
func TestScaleToZero(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	clock := &stoppedClock{}
	clock.set(time.Date(2026, time.July, 10, 12, 0, 0, 0, time.UTC))
	o := w.startAs(plane.operator, Options{
		Catalog: catalog("1.0.0"), WatchNamespaces: []string{w.namespace}, Metrics: Metrics{Address: "0"}, now: clock.now, SignalsPeriod: glance,
	})
	w.playControllers()
	queue := newAudience(t)
	depth := func(n int) { queue.text.Store(new(fmt.Sprintf("depth %d\n", n))) }
	depth(0)
	m := w.microservice("encoder", `{platformRef: {name: acme}, image: "registry.test/encoder:1", resources: {requests: {cpu: 100m}},
		autoscaling: {minReplicas: 2, maxReplicas: 9, scaleToZero: {service: queue, metric: depth, idleSeconds: 600},
			schedules: [{name: evening, start: "0 18 * * *", end: "0 23 * * *", minReplicas: 3}]}}`)
	w.ready(m)
	w.tells(m, v1alpha1.ConditionSignalsActive, metav1.ConditionFalse, v1alpha1.ReasonMetricUnavailable, "platform acme has no service queue")
	source := w.microservice("queue", fmt.Sprintf(
		`{platformRef: {name: acme}, image: "registry.test/queue:1", replicas: 1, ports: [{name: metrics, port: %d}]}`, queue.port))
	w.tells(m, v1alpha1.ConditionSignalsActive, metav1.ConditionFalse, v1alpha1.ReasonMetricUnavailable, "service queue has no ready pod to ask")
	w.ready(source)
	w.runningHere("queue-blue")
	w.has(m, v1alpha1.ConditionSignalsActive, metav1.ConditionTrue, v1alpha1.ReasonSignalsRead)
	o.settle()
	w.encoders(2)

	t.Log("Nothing to do for long enough.")
	clock.set(clock.now().Add(10 * time.Minute))
	w.encoders(0)
	w.is0(m)
	o.settle()
	o.idle()

	t.Log("What cannot be read wakes nobody, work does.")
	queue.text.Store(nil)
	w.tells(m, v1alpha1.ConditionSignalsActive, metav1.ConditionFalse, v1alpha1.ReasonMetricUnavailable, "some ready pods of service queue give no metrics")
	o.settle()
	w.encoders(0)
	depth(7)
	w.encoders(2)
	w.ready(m)
	o.settle()
	o.idle()

	t.Log("A schedule wakes it, too.")
	depth(0)
	o.askedAgain(queue)
	clock.set(clock.now().Add(10 * time.Minute))
	w.encoders(0)
	clock.set(time.Date(2026, time.July, 10, 18, 0, 0, 0, time.UTC))
	change(w, m, func(m *v1alpha1.Microservice) { m.Annotations = map[string]string{"look": "now"} }) // else it waits for the clock
	w.encoders(3)
	o.askedAgain(queue)
	o.settle()
	w.encoders(3)

	t.Log("A new version waits for nobody while there is no pod, and starts with the next one.")
	clock.set(time.Date(2026, time.July, 10, 23, 0, 0, 0, time.UTC))
	change(w, m, func(m *v1alpha1.Microservice) { m.Annotations["look"] = "again" })
	w.encoders(0)
	w.wants(m, "registry.test/encoder:2")
	w.is0(m)

	t.Log("Without scaling to zero the pods come back.")
	change(w, m, func(m *v1alpha1.Microservice) { m.Spec.Autoscaling.ScaleToZero = nil })
	w.encoders(2)
	w.ready(m)
	w.has(m, v1alpha1.ConditionSignalsActive, "", "")

	t.Log("Whom somebody else scaled to zero stays there.")
	if err := w.scale(t.Context(), get(w, "encoder-blue", &appsv1.Deployment{}), 0); err != nil {
		t.Fatal(err)
	}
	w.becomes(m, v1alpha1.ConditionReconciling, v1alpha1.ReasonPodsUnavailable, "0 of 2 pods available")
	o.settle()
	w.encoders(0)
}

// is0 waits until a service says that it is well without a pod.
func (w *world) is0(m *v1alpha1.Microservice) {
	w.Helper()
	w.becomes(m, v1alpha1.ConditionReady, v1alpha1.ReasonScaledToZero, "")
	w.has(m, v1alpha1.ConditionScalingActive, metav1.ConditionTrue, v1alpha1.ReasonNothingToDo)
}
