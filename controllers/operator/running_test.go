package operator

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/microservice"
	"github.com/streamplane/streamplane/controllers/optional"
	"github.com/streamplane/streamplane/controllers/platform"
	"github.com/streamplane/streamplane/controllers/platform/release"
	"github.com/streamplane/streamplane/controllers/signals"
)

// running is an operator that looks after the namespace of one test.
type running struct {
	*world
	requests *requests
	registry *prometheus.Registry
	manager  ctrl.Manager
	// stop ends the operator; it may be called twice.
	stop func()

	optional      *optional.APIs
	signals       *signals.Reader
	platforms     *platform.Reconciler
	microservices *microservice.Reconciler
}

// in is the same operator for a subtest.
func (o *running) in(t *testing.T) *running {
	t.Helper()
	same := *o
	same.world = o.world.in(t)
	return &same
}

// catalog lists releases, the newest first.
func catalog(names ...string) release.Catalog {
	var c release.Catalog
	for _, name := range names {
		c.Releases = append(c.Releases, release.Release{Name: name, Images: map[string]string{
			"gateway":      "registry.test/gateway:" + name,
			"streaming":    "registry.test/streaming:" + name,
			"sample-media": "registry.test/sample-media:" + name,
		}})
	}
	return c
}

// start runs the operator as it runs in a cluster, with the rights that it has
// there, until the test ends.
func (w *world) start(releases release.Catalog) *running {
	w.Helper()
	return w.startAs(plane.operator, Options{
		Catalog: releases, WatchNamespaces: []string{w.namespace}, Namespace: home, WatchSecrets: true, Metrics: Metrics{Address: "0"},
	})
}

// startAs runs an operator of other settings or rights.
func (w *world) startAs(user *rest.Config, options Options) *running {
	w.Helper()
	log := &lockedBuffer{}
	ctx, cancel := context.WithCancel(w.Context())
	o := &running{world: w, requests: &requests{}, registry: prometheus.NewRegistry()}
	cfg := rest.CopyConfig(user)
	cfg.Wrap(o.requests.wrap)
	options.HealthAddress, options.conflictRetry, options.registry = "0", time.Second, o.registry
	options.optional = func(apis *optional.APIs) { o.optional = apis }
	options.signals = func(reader *signals.Reader) { o.signals = reader }
	options.adjust = func(manager *ctrl.Options) {
		manager.Controller.SkipNameValidation = new(true)
		manager.Logger = logr.FromSlogHandler(slog.NewTextHandler(log, &slog.HandlerOptions{ReplaceAttr: brief}))
	}
	var err error
	o.manager, err = New(ctx, cfg, options)
	if err != nil {
		cancel()
		w.Fatal(err)
	}
	o.wire(options)
	stopped := make(chan error, 1)
	go func() { stopped <- o.manager.Start(ctx) }()
	o.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-stopped; err != nil {
			w.Error(err)
		}
		for _, refusal := range o.requests.withoutRight() {
			w.Errorf("a right is missing: %s", refusal)
		}
		if w.Failed() {
			w.Logf("end of the operator's log:\n%s", log.end())
		}
	})
	w.Cleanup(o.stop)
	if !o.manager.GetCache().WaitForCacheSync(ctx) {
		w.Fatal("the cache does not fill")
	}
	return o
}

// brief leaves out of the log what is the same in each line.
func brief(_ []string, a slog.Attr) slog.Attr {
	switch a.Key {
	case "level", "controllerGroup", "controllerKind", "reconcileID", "namespace", "Microservice", "StreamingPlatform":
		return slog.Attr{}
	}
	return a
}

// wire makes a second pair of reconcilers on the operator's clients, which a
// test can call.
func (o *running) wire(options Options) {
	o.Helper()
	config, err := configuration(o.Context(), plane.admin, client.Options{Scheme: plane.scheme}, options)
	if err != nil {
		o.Fatal(err)
	}
	c, live, recorder := o.manager.GetClient(), o.manager.GetAPIReader(), o.manager.GetEventRecorder("streamplane")
	now := options.clock()
	o.platforms = &platform.Reconciler{Client: c, Live: live, Events: recorder, Catalog: options.Catalog, ConflictRetry: time.Second, Now: now}
	o.microservices = &microservice.Reconciler{Client: c, Live: live, Events: recorder, Config: config, Optional: o.optional, Signals: o.signals, ConflictRetry: time.Second, Now: now}
}

// reconcile forces one reconcile of every resource of the namespace.
func (o *running) reconcile() error {
	platforms, services := &v1alpha1.StreamingPlatformList{}, &v1alpha1.MicroserviceList{}
	for _, list := range []client.ObjectList{platforms, services} {
		if err := o.manager.GetClient().List(o.Context(), list, client.InNamespace(o.namespace)); err != nil {
			return err
		}
	}
	for i := range platforms.Items {
		request := ctrl.Request{NamespacedName: client.ObjectKeyFromObject(&platforms.Items[i])}
		if _, err := o.platforms.Reconcile(o.Context(), request); err != nil {
			return err
		}
	}
	for i := range services.Items {
		request := ctrl.Request{NamespacedName: client.ObjectKeyFromObject(&services.Items[i])}
		if _, err := o.microservices.Reconcile(o.Context(), request); err != nil {
			return err
		}
	}
	return nil
}

// settle waits until the operator's cache holds what the API server holds, and
// a reconcile of everything asks and writes nothing.
func (o *running) settle() {
	o.Helper()
	o.eventually(func() error {
		live := o.versions()
		if err := o.cacheHolds(live); err != nil {
			return err
		}
		mark := o.requests.mark()
		if err := o.reconcile(); err != nil {
			return err
		}
		if sent := o.requests.since(mark, anything); len(sent) > 0 {
			return fmt.Errorf("still busy: %v", sent)
		}
		if diff := cmp.Diff(live, o.versions()); diff != "" {
			return fmt.Errorf("still changing: %s", diff)
		}
		return nil
	})
}

// cacheHolds compares only what the cache has: it leaves out what is not ours.
func (o *running) cacheHolds(live map[string]string) error {
	cached := versions(o.world, o.manager.GetClient())
	ours := map[string]string{}
	for name := range cached {
		ours[name] = live[name]
	}
	if diff := cmp.Diff(ours, cached); diff != "" || len(cached) == 0 {
		return fmt.Errorf("the cache lags: %s", diff)
	}
	return nil
}

// idle reconciles everything 50 times and fails when that sends anything, or
// when any object changes.
func (o *running) idle() {
	o.Helper()
	before, mark := o.versions(), o.requests.mark()
	for range 50 {
		if err := o.reconcile(); err != nil {
			o.Fatal(err)
		}
	}
	if sent := o.requests.since(mark, anything); len(sent) > 0 {
		o.Errorf("requests with nothing to do: %v", sent)
	}
	if diff := cmp.Diff(before, o.versions()); diff != "" {
		o.Errorf("objects changed (-before +after):\n%s", diff)
	}
}

// listed are the kinds that the operator may write.
func listed() []client.ObjectList {
	return []client.ObjectList{
		&v1alpha1.StreamingPlatformList{}, &v1alpha1.MicroserviceList{},
		&corev1.ServiceAccountList{}, &corev1.ConfigMapList{}, &networkingv1.NetworkPolicyList{}, &corev1.ServiceList{},
		&appsv1.DeploymentList{}, &autoscalingv2.HorizontalPodAutoscalerList{}, &policyv1.PodDisruptionBudgetList{},
		&corev1.PersistentVolumeClaimList{}, &networkingv1.IngressList{}, &appsv1.ControllerRevisionList{}, &batchv1.JobList{},
	}
}

// without is a copy of versions without some names.
func without(all map[string]string, names ...string) map[string]string {
	remaining := maps.Clone(all)
	for _, name := range names {
		delete(remaining, name)
	}
	return remaining
}

// serving leaves out of versions the revisions, which nothing runs by.
func serving(all map[string]string) map[string]string {
	kept := maps.Clone(all)
	maps.DeleteFunc(kept, func(name, _ string) bool { return strings.HasPrefix(name, "ControllerRevision/") })
	return kept
}

// lockedBuffer takes the log of several goroutines.
type lockedBuffer struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) end() []byte {
	const enough = 5000
	b.mutex.Lock()
	defer b.mutex.Unlock()
	all := b.buffer.Bytes()
	return all[max(0, len(all)-enough):]
}

// Every kind that the operator owns or keeps is compared by versions.
func TestListedCoversOwned(t *testing.T) {
	if got, want := len(listed()), len(microservice.Owned())+len(microservice.Kept())+2; got != want {
		t.Errorf("%d kinds, want %d", got, want)
	}
}
