package signals

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// Pods go after a whole time without work, and what cannot be read ends that
// time without being work.
func TestNoteSource(t *testing.T) {
	m := &v1alpha1.Microservice{}
	m.Spec.Autoscaling = &v1alpha1.Autoscaling{ScaleToZero: &v1alpha1.ScaleToZero{Service: "queue", Metric: "depth", IdleSeconds: new(int32(60))}}
	now := time.Date(2026, time.July, 10, 20, 0, 0, 0, time.UTC)
	r := New(Options{Now: func() time.Time { return now }})
	if got := r.Of(m).Source; got != (Source{}) {
		t.Errorf("before it was asked: %+v", got)
	}
	steps := []struct {
		after   time.Duration
		work    float64
		problem string
		want    Source
	}{
		{0, 0, "", Source{Known: true}}, // a restart of the operator takes nobody's pods
		{59 * time.Second, 0, "", Source{Known: true}},
		{time.Second, 0, "", Source{Known: true, Idle: true}},
		{time.Hour, 0, "silent", Source{Known: true, Problem: "silent"}},
		{time.Second, 3, "silent", Source{Known: true, Work: true, Problem: "silent"}},
		{time.Second, 3, "", Source{Known: true, Work: true}},
		{time.Second, 0, "", Source{Known: true}},
		{59 * time.Second, 0, "", Source{Known: true, Idle: true}},
		{time.Second, 0.1, "", Source{Known: true, Work: true}},
	}
	var last Source
	for i, s := range steps {
		now = now.Add(s.after)
		changed := r.noteSource(m, s.work, s.problem)
		got := r.Of(m).Source
		if diff := cmp.Diff(s.want, got); diff != "" || changed != (got != last) {
			t.Errorf("step %d, changed %t (-want +got):\n%s", i, changed, diff)
		}
		last = got
	}
	m.Spec.Autoscaling.ScaleToZero.Metric = "other"
	if got := r.Of(m).Source; got != (Source{}) {
		t.Errorf("about another metric: %+v", got)
	}
}
