// Package operator wires the reconcilers into one manager. The binary and the
// tests start the operator through it, so that both run the same thing.
package operator

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/membership"
	"github.com/streamplane/streamplane/controllers/microservice"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
	"github.com/streamplane/streamplane/controllers/optional"
	"github.com/streamplane/streamplane/controllers/platform"
	"github.com/streamplane/streamplane/controllers/platform/release"
	"github.com/streamplane/streamplane/controllers/signals"
)

const (
	// reconcileTimeout bounds one reconcile, so that a hanging call to the API
	// server cannot hold a worker for ever.
	reconcileTimeout = 30 * time.Second
	// workers per controller; they mostly wait for the API server.
	workers = 16
	// conflictRetry is how often a taken name is looked at again: an object
	// that is not ours is not watched.
	conflictRetry = 15 * time.Second
	// discoveryInterval is how long an optional API may be there unnoticed.
	discoveryInterval = 30 * time.Second
	// signalsPeriod is that of the autoscaler in Kubernetes.
	signalsPeriod = 15 * time.Second

	leaderElectionID = "operator.streamplane.dev"
)

// Options are what a user may set.
type Options struct {
	Catalog release.Catalog
	// WatchNamespaces bounds what the operator reads and writes; all when empty.
	WatchNamespaces []string
	// WatchSecrets lets a change of a Secret roll the pods that use it.
	WatchSecrets bool
	// Namespace is the operator's own. There is the key for the hashes of
	// Secrets; without one changes are missed while no operator runs.
	Namespace string
	// DiscoveryInterval is how often the API server is asked which optional
	// APIs it serves. Zero means 30 seconds.
	DiscoveryInterval time.Duration
	// SignalsPeriod is how often pods are asked for the metrics that their
	// service scales by. Zero means 15 seconds.
	SignalsPeriod           time.Duration
	Metrics                 Metrics
	HealthAddress           string
	LeaderElect             bool
	LeaderElectionNamespace string

	// Tests run several operators in one process, and have no time.
	adjust        func(*ctrl.Options)
	registry      prometheus.Registerer
	conflictRetry time.Duration
	optional      func(*optional.APIs)
	signals       func(*signals.Reader)
	now           func() time.Time
}

func (o Options) clock() func() time.Time {
	if o.now != nil {
		return o.now
	}
	return time.Now //nolint:forbidigo // the one real clock of the operator
}

// Scheme knows every kind that the operator reads or writes.
func Scheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		v1alpha1.AddToScheme, appsv1.AddToScheme, autoscalingv2.AddToScheme, batchv1.AddToScheme, corev1.AddToScheme,
		networkingv1.AddToScheme, policyv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("build scheme: %w", err)
		}
	}
	return scheme, nil
}

// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=streamplane-system,resources=leases,verbs=get;create;update
// +kubebuilder:rbac:groups="",namespace=streamplane-system,resources=events,verbs=create

// New makes the operator's manager, ready to start.
func New(ctx context.Context, cfg *rest.Config, o Options) (ctrl.Manager, error) {
	scheme, err := Scheme()
	if err != nil {
		return nil, err
	}
	cfg = rest.CopyConfig(cfg)
	cfg.QPS = -1 // the API server's priority and fairness shares out its time
	options := managerOptions(scheme, o)
	if options.Metrics, err = o.Metrics.options(); err != nil {
		return nil, err
	}
	if o.adjust != nil {
		o.adjust(&options)
	}
	content, err := configuration(ctx, cfg, client.Options{Scheme: scheme}, o)
	if err != nil {
		return nil, err
	}
	options.Cache = cacheOptions(o.WatchNamespaces, content)
	mgr, err := ctrl.NewManager(cfg, options)
	if err != nil {
		return nil, fmt.Errorf("make manager: %w", err)
	}
	if err := membership.Index(ctx, mgr.GetFieldIndexer()); err != nil {
		return nil, err
	}
	recorder := mgr.GetEventRecorder("streamplane")
	retry := cmp.Or(o.conflictRetry, conflictRetry)
	platforms := &platform.Reconciler{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Events: recorder, Catalog: o.Catalog, ConflictRetry: retry, Now: o.clock(),
	}
	if err := platforms.SetupWithManager(ctx, mgr); err != nil {
		return nil, fmt.Errorf("set up platforms: %w", err)
	}
	apis, err := optionalAPIs(mgr, o)
	if err != nil {
		return nil, err
	}
	reader, err := signalsReader(mgr, o)
	if err != nil {
		return nil, err
	}
	microservices := &microservice.Reconciler{
		Client: mgr.GetClient(), Live: mgr.GetAPIReader(), Events: recorder, Config: content, Optional: apis, Signals: reader,
		ConflictRetry: retry, Now: o.clock(),
	}
	if err := microservices.SetupWithManager(ctx, mgr); err != nil {
		return nil, fmt.Errorf("set up microservices: %w", err)
	}
	if err := watched(mgr, o); err != nil {
		return nil, err
	}
	return mgr, nil
}

// watched adds what a cluster watches the operator by.
func watched(mgr ctrl.Manager, o Options) error {
	registry := o.registry
	if registry == nil {
		registry = metrics.Registry
	}
	if err := register(registry, mgr.GetCache()); err != nil {
		return fmt.Errorf("register metrics: %w", err)
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return fmt.Errorf("add health check: %w", err)
	}
	if err := mgr.AddReadyzCheck("ping", healthz.Ping); err != nil {
		return fmt.Errorf("add readiness check: %w", err)
	}
	return nil
}

// optionalAPIs run with the manager.
func optionalAPIs(mgr ctrl.Manager, o Options) (*optional.APIs, error) {
	apis, err := optional.New(mgr.GetConfig(), mgr.GetHTTPClient(), mgr.GetScheme(), optional.Options{
		APIs: microservice.Optional(), Interval: cmp.Or(o.DiscoveryInterval, discoveryInterval),
		Namespaces: o.WatchNamespaces, Selector: madeByUs(),
	})
	if err != nil {
		return nil, fmt.Errorf("set up optional APIs: %w", err)
	}
	if err := mgr.Add(apis); err != nil {
		return nil, fmt.Errorf("add optional APIs: %w", err)
	}
	if o.optional != nil {
		o.optional(apis)
	}
	return apis, nil
}

// signalsReader runs with the manager, where that leads.
func signalsReader(mgr ctrl.Manager, o Options) (*signals.Reader, error) {
	reader := signals.New(signals.Options{
		Cache: mgr.GetClient(), Pods: microservice.Pods, Period: cmp.Or(o.SignalsPeriod, signalsPeriod), Now: o.clock(),
	})
	if err := mgr.Add(reader); err != nil {
		return nil, fmt.Errorf("add signals: %w", err)
	}
	if o.signals != nil {
		o.signals(reader)
	}
	return reader, nil
}

// madeByUs picks what the operator makes.
func madeByUs() labels.Selector {
	return labels.SelectorFromSet(labels.Set{desired.LabelManagedBy: desired.ManagedBy})
}

// helmReleases are large Secrets that no pod uses.
const helmReleases = "helm.sh/release.v1"

// cacheOptions hold what is ours, and with namespaces only what is in these. Of
// what services refer to they hold no values.
func cacheOptions(namespaces []string, content microservice.Configuration) cache.Options {
	o := cache.Options{ByObject: map[client.Object]cache.ByObject{}, ReaderFailOnMissingInformer: true}
	for _, kind := range append(microservice.Owned(), microservice.Kept()...) {
		o.ByObject[kind] = cache.ByObject{Label: madeByUs(), Transform: microservice.TrimOwners}
		if _, ok := kind.(*corev1.ConfigMap); ok {
			o.ByObject[kind] = cache.ByObject{Transform: content.Hasher.Trim}
		}
	}
	o.ByObject[&corev1.Pod{}] = cache.ByObject{Label: madeByUs(), Transform: microservice.TrimPod}
	if content.Secrets {
		o.ByObject[&corev1.Secret{}] = cache.ByObject{
			Field: fields.OneTermNotEqualSelector("type", helmReleases), Transform: content.Hasher.Trim,
		}
	}
	if len(namespaces) > 0 {
		o.DefaultNamespaces = map[string]cache.Config{}
	}
	for _, namespace := range namespaces {
		o.DefaultNamespaces[namespace] = cache.Config{}
	}
	return o
}

func managerOptions(scheme *runtime.Scheme, o Options) ctrl.Options {
	return ctrl.Options{
		Scheme:                        scheme,
		HealthProbeBindAddress:        o.HealthAddress,
		LeaderElection:                o.LeaderElect,
		LeaderElectionID:              leaderElectionID,
		LeaderElectionNamespace:       o.LeaderElectionNamespace,
		LeaderElectionReleaseOnCancel: true,
		Controller: config.Controller{
			MaxConcurrentReconciles: workers,
			ReconciliationTimeout:   reconcileTimeout,
			RecoverPanic:            new(true),
		},
	}
}
