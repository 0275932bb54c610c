package platform

import (
	"fmt"
	"slices"
	"strings"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/conditions"
)

// A fault is a listed service that is not ready.
type fault struct {
	name, text string
	// stalled says that somebody must act.
	stalled bool
	// calls are the names of those that the service calls and that may explain
	// its fault; none when the fault can only be its own.
	calls []string
	// blocks are the faults that this one explains, in the order of the list.
	blocks []string
}

// explicable are the reasons that a callee that is not ready may explain. All
// others, such as an image that cannot be pulled, are a service's own.
var explicable = []string{
	v1alpha1.ReasonProgressing, v1alpha1.ReasonPodsUnavailable, v1alpha1.ReasonProgressDeadlineExceeded,
	v1alpha1.ReasonNotReady, v1alpha1.ReasonCrashing,
}

func faultsOf(o observed, services []v1alpha1.ServiceStatus) []fault {
	var all []fault
	for i, line := range services {
		if line.Ready == metav1.ConditionTrue {
			continue
		}
		f := fault{name: line.Name, text: line.Name + ": " + line.Message}
		// Unknown: the Microservice has not yet seen the change that may mend it.
		f.stalled = line.Ready == metav1.ConditionFalse &&
			apimeta.IsStatusConditionTrue(o.microservices[line.Microservice].Status.Conditions, v1alpha1.ConditionStalled)
		if slices.Contains(explicable, line.Reason) {
			for _, c := range o.wanted.Services[i].Microservice.Spec.Calls {
				f.calls = append(f.calls, c.To)
			}
		}
		all = append(all, f)
	}
	return all
}

// rootCause is the first stalled root, else the first root; nil without faults.
func rootCause(all []fault) *fault {
	explained := explanations(all)
	at := -1
	for i := range all {
		if isRoot(i, explained) && (at < 0 || all[i].stalled && !all[at].stalled) {
			at = i
		}
	}
	if at < 0 {
		return nil
	}
	root := all[at]
	for i, f := range all {
		if i != at && explained[i][at] {
			root.blocks = append(root.blocks, f.name)
		}
	}
	return &root
}

// isRoot says that no other fault explains this one. In a cycle of calls each
// would explain the others: there it is the first of the list.
func isRoot(i int, explained []map[int]bool) bool {
	for other := range explained[i] {
		if inCycle := explained[other][i]; !inCycle || other < i {
			return false
		}
	}
	return true
}

// explanations are, for each fault, the faults that may explain it, also by
// way of others.
func explanations(all []fault) []map[int]bool {
	index := map[string]int{}
	for i, f := range all {
		index[f.name] = i
	}
	explained := make([]map[int]bool, len(all))
	for i := range all {
		explained[i] = map[int]bool{}
		for next := []int{i}; len(next) > 0; next = next[1:] {
			for _, callee := range all[next[0]].calls {
				if j, faulty := index[callee]; faulty && !explained[i][j] {
					explained[i][j] = true
					next = append(next, j)
				}
			}
		}
	}
	return explained
}

// message stays short however many services are blocked.
func (f *fault) message() string {
	if len(f.blocks) == 0 {
		return f.text
	}
	return conditions.ShortenBefore(f.text, "; blocks "+some(f.blocks))
}

// some lists the first few names.
func some(names []string) string {
	const few = 3
	if len(names) <= few {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
}
