package desired

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	apimeta "k8s.io/apimachinery/pkg/api/meta"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// AnnotationPods of a Microservice stands for the part of its specification that
// pods depend on, as the platform last wrote it.
const AnnotationPods = "streamplane.dev/pods-hash"

// Hold keeps services with a new version waiting for those that go first, by
// their spec.rollout.hold. live are the Microservices that exist, by name. A
// service that does not exist yet waits for nobody.
func (p Platform) Hold(how *v1alpha1.PlatformRollout, live map[string]v1alpha1.Microservice) {
	if how == nil {
		how = &v1alpha1.PlatformRollout{}
	}
	w := waves{how: *how, calls: map[string][]string{}, progress: map[string]progress{}}
	for _, s := range p.Services {
		for _, c := range s.Microservice.Spec.Calls {
			w.calls[s.Name] = append(w.calls[s.Name], c.To)
		}
		w.progress[s.Name] = progressOf(s, live)
	}
	rolling := w.underway()
	for _, s := range w.inOrder(p.Services) {
		if w.progress[s.Name] != waiting {
			continue
		}
		if why := w.blocked(s.Name, rolling); why != "" {
			hold(s.Microservice, why)
			continue
		}
		rolling = append(rolling, s.Name)
	}
}

// progress is how far a service is with its newest version.
type progress int

const (
	settled progress = iota
	// waiting has a new version that was not begun.
	waiting
	underway
	failed
)

func progressOf(s Service, live map[string]v1alpha1.Microservice) progress {
	m, exists := live[s.Microservice.Name]
	if !exists || s.Problem != "" || s.Microservice.Spec.Paused || held(s.Microservice) {
		return settled // nothing of it will begin
	}
	before, known := m.Annotations[AnnotationPods]
	if known && before != s.Microservice.Annotations[AnnotationPods] {
		return waiting
	}
	status := m.Status
	switch {
	case status.StableRevision == "": // its first start, or an operator that knew no revisions
		return settled
	case status.ObservedGeneration < m.Generation && held(&m):
		return waiting // what it was told last
	case status.ObservedGeneration < m.Generation:
		return underway // what it was told last may be a new version
	case status.FailedRevision == status.UpdateRevision:
		return failed
	case status.CurrentRevision != status.UpdateRevision:
		return waiting
	case status.StableRevision != status.CurrentRevision && !apimeta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReady):
		return underway // one without pods is ready, and proves itself later
	default:
		return settled
	}
}

// waves decides who waits.
type waves struct {
	how      v1alpha1.PlatformRollout
	calls    map[string][]string
	progress map[string]progress
}

func (w waves) underway() []string {
	var all []string
	for name, p := range w.progress {
		if p == underway {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// inOrder puts services that are called before those that call them, else by
// name, so that places are given to the same ones at each look.
func (w waves) inOrder(all []Service) []Service {
	depth := map[string]int{}
	for _, s := range all {
		depth[s.Name] = len(w.reached(s.Name))
	}
	return slices.SortedFunc(slices.Values(all), func(a, b Service) int {
		return cmp.Or(cmp.Compare(depth[a.Name], depth[b.Name]), cmp.Compare(a.Name, b.Name))
	})
}

// blocked says why a service waits, or "".
func (w waves) blocked(name string, rolling []string) string {
	if w.how.OnFailure == v1alpha1.FailureStop {
		for _, other := range slices.Sorted(maps.Keys(w.progress)) {
			if w.progress[other] == failed {
				return fmt.Sprintf("waits until %s is mended, whose new version failed (rollout.onFailure: Stop)", other)
			}
		}
	}
	if callee := w.first(name); callee != "" && w.how.Order != v1alpha1.OrderNone {
		return "waits for " + callee + ", which it calls and which has a new version, too"
	}
	if most := w.how.MaxConcurrent; most != nil && len(rolling) >= int(*most) {
		return fmt.Sprintf("waits for its turn: %d at a time (rollout.maxConcurrent)", *most)
	}
	return ""
}

// first is a service that is called and not done yet, or "". Services of one
// circle do not go before each other.
func (w waves) first(name string) string {
	for _, callee := range w.reached(name) {
		if p := w.progress[callee]; (p == waiting || p == underway) && !slices.Contains(w.reached(callee), name) {
			return callee
		}
	}
	return ""
}

// reached are the services that one calls, also by way of others, by name. It is
// among them itself when it is in a circle.
func (w waves) reached(from string) []string {
	seen := map[string]bool{}
	next := slices.Clone(w.calls[from])
	for len(next) > 0 {
		name := next[0]
		next = next[1:]
		if !seen[name] {
			seen[name] = true
			next = append(next, w.calls[name]...)
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

func held(m *v1alpha1.Microservice) bool { return m.Spec.Rollout != nil && m.Spec.Rollout.Hold != "" }

func hold(m *v1alpha1.Microservice, why string) {
	if m.Spec.Rollout == nil {
		m.Spec.Rollout = &v1alpha1.Rollout{}
	}
	m.Spec.Rollout.Hold = why
}
