package optional

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/streamplane/streamplane/controllers/apply"
)

// patience is how long one question may take, and how long a kind may take to
// be listed: one that cannot be must not hold up the others for ever.
const patience = 15 * time.Second

// needed are the verbs without which a kind cannot be worked with. A CRD that
// is being removed no longer offers all of them.
var needed = []string{"create", "delete", "get", "list", "patch", "watch"}

// Options are where and how kinds are watched.
type Options struct {
	APIs []API
	// Interval is how often the API server is asked what it serves. CRDs are not
	// watched: that would take a right in the cluster as a whole.
	Interval time.Duration
	// Namespaces bounds what is read; all when empty.
	Namespaces []string
	// Selector picks the objects that are held.
	Selector labels.Selector
}

// APIs are the optional kinds of one operator.
type APIs struct {
	options   Options
	config    *rest.Config
	http      *http.Client
	scheme    *runtime.Scheme
	discovery *discovery.DiscoveryClient

	// first ends when looked is called: all kinds have been looked for once.
	first  <-chan struct{}
	looked func()

	mutex   sync.RWMutex
	watched map[schema.GroupVersionKind]watched
	// unusable says of each kind that was looked for why it is not watched.
	unusable map[schema.GroupVersionKind]string
	feeds    []feed
}

// watched is a kind with a cache that is in step.
type watched struct {
	cache cache.Cache
	stop  func()
}

// New makes the optional kinds; they are looked for once it is started.
func New(cfg *rest.Config, httpClient *http.Client, scheme *runtime.Scheme, options Options) (*APIs, error) {
	asking, err := discovery.NewDiscoveryClientForConfigAndClient(cfg, httpClient)
	if err != nil {
		return nil, fmt.Errorf("make discovery client: %w", err)
	}
	first := make(chan struct{})
	return &APIs{
		options: options, config: cfg, http: httpClient, scheme: scheme, discovery: asking,
		first: first, looked: sync.OnceFunc(func() { close(first) }),
		watched: map[schema.GroupVersionKind]watched{}, unusable: map[schema.GroupVersionKind]string{},
	}, nil
}

// NeedLeaderElection is false: as all caches, these fill before an operator leads.
func (a *APIs) NeedLeaderElection() bool { return false }

// Start looks for the kinds until the context ends.
func (a *APIs) Start(ctx context.Context) error {
	wait.UntilWithContext(ctx, a.look, a.options.Interval)
	a.mutex.Lock()
	defer a.mutex.Unlock()
	for _, w := range a.watched {
		w.stop()
	}
	return nil
}

// Now is what can be worked with at this moment.
func (a *APIs) Now() Served {
	a.mutex.RLock()
	defer a.mutex.RUnlock()
	served := Served{readers: map[schema.GroupVersionKind]client.Reader{}, unusable: maps.Clone(a.unusable)}
	for kind, w := range a.watched {
		served.readers[kind] = w.cache
	}
	return served
}

// look asks about every kind once. An answer that fails changes nothing.
func (a *APIs) look(ctx context.Context) {
	for _, api := range a.options.APIs {
		served, err := a.serves(ctx, api)
		if err == nil {
			err = a.follow(ctx, api, served)
		}
		if err != nil && ctx.Err() == nil {
			log(ctx).Error(err, "Cannot work with an optional API", "kind", api.Kind.String())
		}
	}
	a.mutex.RLock()
	seen := len(a.watched) + len(a.unusable)
	a.mutex.RUnlock()
	if seen == len(a.options.APIs) {
		a.looked()
	}
}

// serves asks the API server.
func (a *APIs) serves(ctx context.Context, api API) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	list, err := a.discovery.ServerResourcesForGroupVersionWithContext(ctx, api.Kind.GroupVersion().String())
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("ask what is served: %w", err)
	}
	return slices.ContainsFunc(list.APIResources, func(r metav1.APIResource) bool {
		return r.Name == api.Resource && r.Kind == api.Kind.Kind && r.Namespaced &&
			!slices.ContainsFunc(needed, func(verb string) bool { return !slices.Contains(r.Verbs, verb) })
	}), nil
}

// follow begins or ends to watch a kind.
func (a *APIs) follow(ctx context.Context, api API, served bool) error {
	a.mutex.RLock()
	now, watching := a.watched[api.Kind]
	a.mutex.RUnlock()
	switch {
	case served && !watching:
		return a.begin(ctx, api)
	case watching && !served:
		a.set(api, nil, api.missing())
		now.stop()
		log(ctx).Info("An optional API is gone", "kind", api.Kind.String())
		a.tell(ctx)
	case !served:
		a.set(api, nil, api.missing())
	}
	return nil
}

// begin watches a kind and connects it to the controllers.
func (a *APIs) begin(ctx context.Context, api API) error {
	started, err := a.watch(ctx, api)
	if err != nil {
		a.set(api, nil, fmt.Sprintf("%s is served and cannot be watched: look for it in the operator's log", api.Kind.GroupKind()))
		return err
	}
	log(ctx).Info("An optional API is there", "kind", api.Kind.String())
	for _, f := range a.set(api, &started, "") {
		err = errors.Join(err, f.connect(ctx, api, started.cache))
	}
	a.tell(ctx)
	return err
}

// set returns who was there when the kind came: whoever joins later connects
// itself.
func (a *APIs) set(api API, started *watched, unusable string) []feed {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if started != nil {
		a.watched[api.Kind] = *started
		delete(a.unusable, api.Kind)
	} else {
		delete(a.watched, api.Kind)
		a.unusable[api.Kind] = unusable
	}
	return slices.Clone(a.feeds)
}

func log(ctx context.Context) logr.Logger { return logf.FromContext(ctx).WithName("optional") }

// watch fills a cache of the kind.
func (a *APIs) watch(ctx context.Context, api API) (watched, error) {
	objects, err := cache.New(a.config, a.cacheOptions(api))
	if err != nil {
		return watched{}, fmt.Errorf("make cache: %w", err)
	}
	if err := apply.IndexByOwner(ctx, objects, []client.Object{api.empty()}); err != nil {
		return watched{}, err
	}
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- objects.Start(running) }()
	begun := watched{cache: objects, stop: func() {
		stop()
		<-done
	}}
	limited, cancel := context.WithTimeout(running, patience)
	defer cancel()
	if !objects.WaitForCacheSync(limited) {
		begun.stop()
		return watched{}, errors.New("it is served and cannot be listed")
	}
	return begun, nil
}

// cacheOptions: the kind is known, so that its cache needs no discovery of its own.
func (a *APIs) cacheOptions(api API) cache.Options {
	mapper := apimeta.NewDefaultRESTMapper(nil)
	version := api.Kind.GroupVersion()
	for _, kind := range []string{api.Kind.Kind, api.Kind.Kind + listSuffix} { // a cache of several namespaces asks for both
		mapper.AddSpecific(version.WithKind(kind), version.WithResource(api.Resource), version.WithResource(api.Resource), apimeta.RESTScopeNamespace)
	}
	o := cache.Options{
		HTTPClient: a.http, Scheme: a.scheme, Mapper: mapper, ReaderFailOnMissingInformer: true,
		DefaultLabelSelector: a.options.Selector, DefaultTransform: cache.TransformStripManagedFields(),
	}
	if len(a.options.Namespaces) > 0 {
		o.DefaultNamespaces = map[string]cache.Config{}
	}
	for _, namespace := range a.options.Namespaces {
		o.DefaultNamespaces[namespace] = cache.Config{}
	}
	return o
}
