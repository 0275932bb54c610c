package operator

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// audience serves the metrics of a pod.
type audience struct {
	port int
	// text that is served; none means 500.
	text  atomic.Pointer[string]
	asked atomic.Int64
}

func newAudience(t *testing.T) *audience {
	t.Helper()
	a := &audience{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		a.asked.Add(1)
		text := a.text.Load()
		if text == nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_, _ = w.Write([]byte(*text))
	}))
	t.Cleanup(server.Close)
	a.port = server.Listener.Addr().(*net.TCPAddr).Port
	return a
}

func (a *audience) is(viewers int) { a.text.Store(new(fmt.Sprintf("viewers %d\n", viewers))) }

// askedAgain waits until a reading that began after this moment has ended.
func (o *running) askedAgain(a *audience) {
	o.Helper()
	enough := a.asked.Load() + 3
	o.eventually(func() error {
		if n := a.asked.Load(); n < enough {
			return fmt.Errorf("asked %d times, want %d", n, enough)
		}
		return nil
	})
}

// runningHere makes a ready pod whose metrics the test serves.
func (w *world) runningHere(deployment string) {
	w.Helper()
	p := w.pod(deployment, "new", "a", corev1.ContainerState{Running: &corev1.ContainerStateRunning{}})
	p.Status.PodIP = "127.0.0.1"
	p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	w.becomesPod(p, p.Status.ContainerStatuses[0].State, true)
}

// What pods say of themselves raises the floor. As long as it stays the same
// nothing is read from the API server or written to it, and what cannot be read
// is told and lowers nothing.
func TestSignalsRaiseTheFloor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	clock := &stoppedClock{}
	clock.set(time.Date(2026, time.July, 10, 20, 0, 0, 0, time.UTC))
	options := Options{
		Catalog: catalog("1.0.0"), WatchNamespaces: []string{w.namespace}, Metrics: Metrics{Address: "0"}, now: clock.now, SignalsPeriod: glance,
	}
	o := w.startAs(plane.operator, options)
	viewers := newAudience(t)
	viewers.is(30)
	m := w.microservice("search", fmt.Sprintf(`{platformRef: {name: acme}, image: "registry.test/search:1", resources: {requests: {cpu: 100m}},
		ports: [{name: http, port: 8080}, {name: metrics, port: %d}],
		autoscaling: {minReplicas: 2, maxReplicas: 9, signals: [{metric: viewers, perReplica: 20}]}}`, viewers.port))
	w.playControllers()
	w.ready(m)
	w.has(m, v1alpha1.ConditionSignalsActive, metav1.ConditionUnknown, v1alpha1.ReasonScalingUnknown)
	w.runningHere("search-blue")
	w.has(m, v1alpha1.ConditionSignalsActive, metav1.ConditionTrue, v1alpha1.ReasonSignalsRead)

	t.Log("More viewers than the least number is for.")
	viewers.is(101)
	w.eventually(func() error { return w.floorIs(m, 6) })
	o.settle()
	mark := o.requests.mark()
	viewers.is(119) // still six pods
	o.askedAgain(viewers)
	o.idle()
	if sent := o.requests.since(mark, anything); len(sent) > 0 {
		t.Errorf("requests while the number stays: %v", sent)
	}

	t.Log("What cannot be read is told, and lowers nothing.")
	viewers.text.Store(new("listeners 1\n"))
	w.tells(m, v1alpha1.ConditionSignalsActive, metav1.ConditionFalse, v1alpha1.ReasonMetricUnavailable, "have no metric viewers")
	viewers.text.Store(nil)
	w.tells(m, v1alpha1.ConditionSignalsActive, metav1.ConditionFalse, v1alpha1.ReasonMetricUnavailable, "give no metrics at port")
	clock.set(clock.now().Add(time.Hour))
	o.askedAgain(viewers)
	o.settle()
	o.idle()
	if err := w.floorIs(m, 6); err != nil {
		t.Error(err)
	}
	w.ready(m)

	t.Log("Another operator goes on where this one was.")
	o.stop()
	o = w.startAs(plane.operator, options)
	viewers.is(20)
	w.has(m, v1alpha1.ConditionSignalsActive, metav1.ConditionTrue, v1alpha1.ReasonSignalsRead)
	o.askedAgain(viewers)
	o.settle()
	if err := w.floorIs(m, 6); err != nil {
		t.Error(err)
	}

	t.Log("It falls when nothing has asked for more for long enough.")
	clock.set(clock.now().Add(5 * time.Minute))
	w.eventually(func() error { return w.floorIs(m, 2) })
	o.settle()
	o.idle()

	t.Log("A signal that would divide by nothing is named.")
	change(w, m, func(m *v1alpha1.Microservice) { m.Spec.Autoscaling.Signals[0].PerReplica = resource.MustParse("0") })
	w.becomes(m, v1alpha1.ConditionStalled, v1alpha1.ReasonInvalidSpec, "spec.autoscaling.signals[viewers].perReplica: must be greater than 0")

	t.Log("Without signals status speaks of none, and pods are left alone.")
	change(w, m, func(m *v1alpha1.Microservice) { m.Spec.Autoscaling.Signals = nil })
	w.has(m, v1alpha1.ConditionSignalsActive, "", "")
	if m.Status.Scaling != nil {
		t.Errorf("status %v", m.Status.Scaling)
	}
}
