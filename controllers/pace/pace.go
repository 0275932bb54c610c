// Package pace lets reconciles that only have something to tell wait behind
// those that have something to do.
package pace

import (
	"time"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// gather is how long a change waits for more of its kind: a service that
// starts changes its status several times.
const gather = 200 * time.Millisecond

// Queue is what event handlers add to.
type Queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// Later is a queue in front of q: what is added to it is taken a little later,
// together with what follows, and after everything that was added to q itself.
func Later(q Queue) Queue { return later{q} }

type later struct{ Queue }

func (l later) Add(request reconcile.Request) {
	q, ok := l.Queue.(priorityqueue.PriorityQueue[reconcile.Request])
	if !ok {
		l.AddAfter(request, gather)
		return
	}
	q.AddWithOpts(priorityqueue.AddOpts{After: gather, Priority: new(handler.LowPriority)}, request)
}
