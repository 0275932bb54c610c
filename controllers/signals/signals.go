// Package signals reads metrics from the pods of services that scale by them,
// and says how many pods they ask for.
package signals

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
)

const (
	// answerTimeout is how long a pod may take to answer.
	answerTimeout = 2 * time.Second
	// services are asked at a time, and of each so many pods: one whose pods do not
	// answer holds up few others.
	services, podsOfOne = 8, 4
	// pending changes wait for the controller; more than these wait for them.
	pending = 1024
	// maxHeader bounds the header of an answer, in bytes.
	maxHeader = 64 << 10
)

// Reading is what the signals of a service say.
type Reading struct {
	// Known is false until the pods were read for the first time.
	Known bool
	// Floor is the least number of pods that is asked for.
	Floor int32
	// Problem is what cannot be read, with the fix, or "".
	Problem string
	// Source is what there is to do for a service that scales to zero.
	Source Source
}

// Options of a Reader.
type Options struct {
	// Cache holds Microservices, pods and autoscalers.
	Cache client.Reader
	// Pods lists the pods of a Microservice; they are not changed.
	Pods func(context.Context, client.Reader, *v1alpha1.Microservice) ([]corev1.Pod, error)
	// Period between two readings.
	Period time.Duration
	Now    func() time.Time
}

// Reader asks pods in turn. It runs with the manager, where that leads.
type Reader struct {
	options Options
	http    *http.Client
	changes chan event.GenericEvent

	mutex   sync.Mutex
	known   map[types.NamespacedName]*state
	sources map[types.NamespacedName]*sourceState
}

// state is of one Microservice.
type state struct {
	uid types.UID
	Reading
	// asked for, by the metrics, and what became of it.
	asked, floors series
}

// New makes a Reader.
func New(o Options) *Reader {
	return &Reader{
		options: o, changes: make(chan event.GenericEvent, pending), known: map[types.NamespacedName]*state{}, sources: map[types.NamespacedName]*sourceState{},
		http: &http.Client{Timeout: answerTimeout, Transport: &http.Transport{
			MaxIdleConnsPerHost: 1, MaxIdleConns: services * podsOfOne, IdleConnTimeout: 2 * o.Period,
			DisableCompression: true, MaxResponseHeaderBytes: maxHeader,
		}, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // a pod does not send the operator elsewhere
		}},
	}
}

// Changes tells for which Microservices the reading is another one.
func (r *Reader) Changes() <-chan event.GenericEvent { return r.changes }

// NeedLeaderElection lets one of several operators ask.
func (*Reader) NeedLeaderElection() bool { return true }

// Of is the last reading for a Microservice.
func (r *Reader) Of(m *v1alpha1.Microservice) Reading {
	var reading Reading
	name := client.ObjectKeyFromObject(m)
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if s, ok := r.known[name]; ok && s.uid == m.UID && desired.HasSignals(m) {
		reading = s.Reading
	}
	if s, ok := r.sources[name]; ok && s.asks(m) {
		reading.Source = s.Source
	}
	return reading
}

// Start reads until the context ends.
func (r *Reader) Start(ctx context.Context) error {
	ticker := time.NewTicker(r.options.Period)
	defer ticker.Stop()
	for {
		if err := r.readAll(ctx); err != nil && ctx.Err() == nil {
			logf.FromContext(ctx).Error(err, "Cannot read the signals of services")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// readAll asks the pods of all services that have signals, and those of sources,
// and forgets others.
func (r *Reader) readAll(ctx context.Context) error {
	list := &v1alpha1.MicroserviceList{}
	if err := r.options.Cache.List(ctx, list, client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list microservices: %w", err)
	}
	have := map[types.NamespacedName]bool{}
	var group errgroup.Group
	group.SetLimit(services)
	for i := range list.Items {
		m := &list.Items[i]
		if !desired.HasSignals(m) && !desired.ScalesToZero(m) || desired.Validate(m.Spec.WorkloadSpec) != "" || !m.DeletionTimestamp.IsZero() {
			continue
		}
		have[client.ObjectKeyFromObject(m)] = true
		group.Go(func() error {
			if err := errors.Join(r.readPods(ctx, m), r.readSource(ctx, m)); err != nil && ctx.Err() == nil {
				logf.FromContext(ctx).Error(err, "Cannot read the signals of a service", "namespace", m.Namespace, "name", m.Name)
			}
			return nil
		})
	}
	_ = group.Wait() // what one service lacks is told at that
	r.mutex.Lock()
	defer r.mutex.Unlock()
	maps.DeleteFunc(r.known, func(name types.NamespacedName, _ *state) bool { return !have[name] })
	maps.DeleteFunc(r.sources, func(name types.NamespacedName, _ *sourceState) bool { return !have[name] })
	return nil
}

// readPods asks the pods of a service that has signals.
func (r *Reader) readPods(ctx context.Context, m *v1alpha1.Microservice) error {
	if !desired.HasSignals(m) {
		return nil
	}
	var metrics []string
	for _, s := range m.Spec.Autoscaling.Signals {
		metrics = append(metrics, s.Metric)
	}
	q := questionTo(m, "", "autoscaling.signals", metrics...)
	answers, err := r.answers(ctx, m, q)
	if err != nil || len(answers) == 0 || ctx.Err() != nil { // a service that is not ready is told elsewhere
		return err
	}
	changed, err := r.note(ctx, m, q, answers)
	if changed {
		r.tell(ctx, m)
	}
	return err
}

// tell wakes the controller.
func (r *Reader) tell(ctx context.Context, m *v1alpha1.Microservice) {
	select {
	case r.changes <- event.GenericEvent{Object: m}:
	case <-ctx.Done():
	}
}

// answers are those of the ready pods of a service. They take no longer than a
// period: who was not asked by then did not answer.
func (r *Reader) answers(ctx context.Context, of *v1alpha1.Microservice, q question) ([]answer, error) {
	pods, err := r.options.Pods(ctx, r.options.Cache, of)
	if err != nil {
		return nil, err
	}
	answers := make([]answer, 0, len(pods))
	for i := range pods {
		if isReady(&pods[i]) {
			answers = append(answers, answer{address: pods[i].Status.PodIP})
		}
	}
	ctx, cancel := context.WithTimeout(ctx, max(r.options.Period, answerTimeout))
	defer cancel()
	var group errgroup.Group
	group.SetLimit(podsOfOne)
	for i := range answers {
		group.Go(func() error {
			answers[i].ask(ctx, r.http, q.url(answers[i].address), q.metrics)
			return nil // an answer has its own
		})
	}
	return answers, group.Wait()
}

// note says whether the reading is another one now.
func (r *Reader) note(ctx context.Context, m *v1alpha1.Microservice, q question, answers []answer) (bool, error) {
	sums, problem := q.sum(answers)
	asked := desired.Asked(m, sums)
	name, now := client.ObjectKeyFromObject(m), r.options.Now()
	seed, err := r.seed(ctx, m)
	if err != nil {
		return false, err
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	s, ok := r.known[name]
	if !ok || s.uid != m.UID {
		start := max(seed, m.Spec.Autoscaling.MinReplicas)
		s = &state{uid: m.UID, asked: series{{start, now}}, floors: series{{start, now}}}
		r.known[name] = s
	}
	if problem != "" { // what cannot be read asks for no fewer pods than before
		asked = max(asked, s.floors.last())
	}
	s.asked.add(asked, now)
	s.floors.add(next(s.asked, s.floors, m.Spec.Autoscaling.Behavior, now), now)
	reading := Reading{Known: true, Problem: problem, Floor: s.floors.last()}
	changed := reading != s.Reading
	s.Reading = reading
	return changed, nil
}

// seed is what the autoscaler of the service has kept so far: a restart of the
// operator must not let go of pods.
func (r *Reader) seed(ctx context.Context, m *v1alpha1.Microservice) (int32, error) {
	hpa := &autoscalingv2.HorizontalPodAutoscaler{}
	name := client.ObjectKey{Namespace: m.Namespace, Name: desired.Name(m.Name, desired.SlotBlue)}
	if err := r.options.Cache.Get(ctx, name, hpa); client.IgnoreNotFound(err) != nil {
		return 0, fmt.Errorf("read autoscaler %s: %w", name.Name, err)
	}
	if !metav1.IsControlledBy(hpa, m) || hpa.Spec.MinReplicas == nil { // there is none of ours
		return 0, nil
	}
	return min(*hpa.Spec.MinReplicas, m.Spec.Autoscaling.MaxReplicas), nil
}

func isReady(p *corev1.Pod) bool {
	if p.DeletionTimestamp != nil || p.Status.PodIP == "" {
		return false
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// url is where a pod serves its metrics.
func (q question) url(address string) string {
	return "http://" + net.JoinHostPort(address, strconv.Itoa(int(q.port))) + "/" + strings.TrimPrefix(q.path, "/")
}
