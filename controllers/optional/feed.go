package optional

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// A Watcher says what of the optional kinds concerns a controller.
type Watcher struct {
	// Objects turns the change of an object into requests.
	Objects handler.EventHandler
	// Affected are the requests when a kind comes or goes.
	Affected func(context.Context) []reconcile.Request
}

// feed is a controller that is told.
type feed struct {
	watcher Watcher
	queue   queue
}

// Source feeds a controller, which waits with its first reconcile until all
// kinds have been looked for: else each start would take them for missing.
func (a *APIs) Source(w Watcher) source.SyncingSource { return &feeding{apis: a, watcher: w} }

type feeding struct {
	apis    *APIs
	watcher Watcher
}

// Start joins the controller to the kinds that are there and that will come.
func (f *feeding) Start(ctx context.Context, q queue) error {
	joined := feed{watcher: f.watcher, queue: q}
	there := f.apis.join(joined)
	for _, api := range f.apis.options.APIs {
		w, ok := there[api.Kind]
		if !ok {
			continue
		}
		if err := joined.connect(ctx, api, w.cache); err != nil {
			return err
		}
	}
	return nil
}

// join returns what is there already: what comes later connects itself.
func (a *APIs) join(f feed) map[schema.GroupVersionKind]watched {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.feeds = append(a.feeds, f)
	return maps.Clone(a.watched)
}

// WaitForSync ends with the first look.
func (f *feeding) WaitForSync(ctx context.Context) error {
	select {
	case <-f.apis.first:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("look for optional APIs: %w", ctx.Err())
	}
}

// String names the source in logs.
func (f *feeding) String() string { return "optional APIs" }

// connect gives the changes of a kind's objects to the controller.
func (f feed) connect(ctx context.Context, api API, objects cache.Cache) error {
	informer, err := objects.GetInformer(ctx, api.empty(), cache.BlockUntilSynced(false))
	if err != nil {
		return fmt.Errorf("get informer: %w", err)
	}
	return (&source.Informer{Informer: informer, Handler: f.watcher.Objects}).Start(ctx, f.queue)
}

// tell lets all controllers look again at what the kinds concern.
func (a *APIs) tell(ctx context.Context) {
	a.mutex.RLock()
	feeds := slices.Clone(a.feeds)
	a.mutex.RUnlock()
	for _, f := range feeds {
		for _, request := range f.watcher.Affected(ctx) {
			f.queue.Add(request)
		}
	}
}
