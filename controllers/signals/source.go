package signals

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/membership"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
)

// Source is what the source of a service that scales to zero says.
type Source struct {
	// Known is false until it was asked for the first time.
	Known bool
	// Work says that there is something to do now, and Idle that there has been
	// nothing for the time that is asked for. Between the two all stays as it is.
	Work, Idle bool
	// Problem is what cannot be read, with the fix, or "".
	Problem string
}

// sourceState is of one Microservice that scales to zero.
type sourceState struct {
	uid types.UID
	// asked is the service and metric that it is about.
	asked v1alpha1.ScaleToZero
	Source
	// worked is when there may last have been something to do.
	worked time.Time
}

// asks says whether the state is about what a Microservice asks for.
func (s *sourceState) asks(m *v1alpha1.Microservice) bool {
	return desired.ScalesToZero(m) && s.uid == m.UID && s.asked.Service == m.Spec.Autoscaling.ScaleToZero.Service &&
		s.asked.Metric == m.Spec.Autoscaling.ScaleToZero.Metric
}

// readSource asks the source of a service that scales to zero.
func (r *Reader) readSource(ctx context.Context, m *v1alpha1.Microservice) error {
	if !desired.ScalesToZero(m) {
		return nil
	}
	work, problem, err := r.workFor(ctx, m)
	if err == nil && ctx.Err() == nil && r.noteSource(m, work, problem) {
		r.tell(ctx, m)
	}
	return err
}

// workFor says how much there is to do for a service, or what keeps the operator
// from knowing.
func (r *Reader) workFor(ctx context.Context, m *v1alpha1.Microservice) (work float64, problem string, err error) {
	z := m.Spec.Autoscaling.ScaleToZero
	members, err := membership.Of(ctx, r.options.Cache, client.ObjectKey{Namespace: m.Namespace, Name: m.Spec.PlatformRef.Name})
	if err != nil {
		return 0, "", err
	}
	source := membership.First(members, z.Service)
	switch {
	case source == nil:
		return 0, fmt.Sprintf("platform %s has no service %s: correct autoscaling.scaleToZero.service; the number of pods stays", m.Spec.PlatformRef.Name, z.Service), nil
	case source.Name == m.Name:
		return 0, "autoscaling.scaleToZero.service: the service itself cannot say when it is needed: name one that always runs; the number of pods stays", nil
	}
	q := questionTo(source, " of service "+z.Service, "autoscaling.scaleToZero.metric", z.Metric)
	answers, err := r.answers(ctx, source, q)
	if err != nil {
		return 0, "", err
	}
	if len(answers) == 0 {
		return 0, fmt.Sprintf("service %s has no ready pod to ask; the number of pods stays", z.Service), nil
	}
	sums, problem := q.sum(answers)
	return sums[z.Metric], problem, nil
}

// noteSource says whether the source says something else now. What cannot be read
// counts as work for the time of idleness, and wakes nobody.
func (r *Reader) noteSource(m *v1alpha1.Microservice, work float64, problem string) bool {
	z, name, now := m.Spec.Autoscaling.ScaleToZero, client.ObjectKeyFromObject(m), r.options.Now()
	r.mutex.Lock()
	defer r.mutex.Unlock()
	s, ok := r.sources[name]
	if !ok || !s.asks(m) {
		s = &sourceState{uid: m.UID, asked: *z, worked: now}
		r.sources[name] = s
	}
	if work > 0 || problem != "" {
		s.worked = now
	}
	is := Source{Known: true, Problem: problem, Work: work > 0, Idle: problem == "" && work == 0 && now.Sub(s.worked) >= desired.IdleTime(z)}
	changed := is != s.Source
	s.Source = is
	return changed
}
