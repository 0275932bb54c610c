package operator

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	autoscalingv2 "k8s.io/api/autoscaling/v2"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// stoppedClock shows the time that a test sets.
type stoppedClock struct{ at atomic.Pointer[time.Time] }

func (c *stoppedClock) set(t time.Time) { c.at.Store(&t) }
func (c *stoppedClock) now() time.Time  { return *c.at.Load() }

const searchEvening = `{platformRef: {name: acme}, image: "registry.test/search:1", resources: {requests: {cpu: 100m}},
	autoscaling: {minReplicas: 2, maxReplicas: 9, schedules: [
		{name: evening, start: 0 18 * * *, end: 0 23 * * *, timeZone: Europe/Berlin, minReplicas: 6}]}}`

// At its time a schedule raises the floor by itself, without an event, and
// nothing is written in between.
func TestSchedulesRaiseTheFloor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	start := time.Date(2026, time.July, 10, 16, 0, 0, 0, time.UTC)
	clock := &stoppedClock{}
	clock.set(start.Add(-time.Second))
	o := w.startAs(plane.operator, Options{
		Catalog: catalog("1.0.0"), WatchNamespaces: []string{w.namespace}, Metrics: Metrics{Address: "0"}, now: clock.now,
	})
	m := w.microservice("search", searchEvening)
	w.playControllers()
	w.ready(m)
	o.settle()
	o.idle()
	if err := w.floorIs(m, 2); err != nil {
		t.Fatal(err)
	}

	t.Log("It starts.")
	clock.set(start)
	w.eventually(func() error { return w.floorIs(m, 6, "evening") })
	o.settle()
	o.idle()
	clock.set(start.Add(4 * time.Hour))
	o.idle()
	if err := w.is(m, v1alpha1.ConditionReady, v1alpha1.ReasonAvailable, ""); err != nil {
		t.Error(err)
	}

	t.Log("Paused, the floor stays as it was.")
	end := start.Add(5 * time.Hour)
	change(w, m, func(m *v1alpha1.Microservice) { m.Spec.Paused = true })
	o.settle()
	clock.set(end)
	o.idle()
	if err := w.floorIs(m, 6, "evening"); err != nil {
		t.Error(err)
	}

	t.Log("It ends.")
	change(w, m, func(m *v1alpha1.Microservice) { m.Spec.Paused = false })
	w.eventually(func() error { return w.floorIs(m, 2) })
	o.settle()
	o.idle()

	t.Log("Without schedules status speaks of none.")
	change(w, m, func(m *v1alpha1.Microservice) { m.Spec.Autoscaling.Schedules = nil })
	w.ready(m)
	if m.Status.Scaling != nil {
		t.Errorf("status %v", m.Status.Scaling)
	}

	t.Log("A zone that does not exist is named.")
	change(w, m, func(m *v1alpha1.Microservice) {
		m.Spec.Autoscaling.Schedules = []v1alpha1.AutoscalingSchedule{
			{Name: "a", Start: "0 1 * * *", End: "0 2 * * *", TimeZone: "Europe/Berlln", MinReplicas: 3},
		}
	})
	w.becomes(m, v1alpha1.ConditionStalled, v1alpha1.ReasonInvalidSpec, `spec.autoscaling.schedules[a].timeZone: "Europe/Berlln"`)
}

// floorIs compares the autoscaler and the status with a number, and the status
// with the schedules that are active.
func (w *world) floorIs(m *v1alpha1.Microservice, want int32, active ...string) error {
	w.Helper()
	hpa := get(w, m.Name+"-blue", &autoscalingv2.HorizontalPodAutoscaler{})
	var errs []error
	if n := *hpa.Spec.MinReplicas; n != want {
		errs = append(errs, fmt.Errorf("the autoscaler keeps %d pods, want %d", n, want))
	}
	diff := cmp.Diff(&v1alpha1.ScalingStatus{MinReplicas: want, ActiveSchedules: active}, get(w, m.Name, m).Status.Scaling)
	if diff != "" {
		errs = append(errs, fmt.Errorf("status (-want +got):\n%s", diff))
	}
	return errors.Join(errs...)
}
