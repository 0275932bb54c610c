// Package platform reconciles a StreamingPlatform into one Microservice for
// each of its services.
package platform

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/apply"
	"github.com/streamplane/streamplane/controllers/conditions"
	"github.com/streamplane/streamplane/controllers/platform/release"
)

// Reconciler makes the cluster hold the Microservices of each StreamingPlatform.
type Reconciler struct {
	Client  client.Client
	Live    client.Reader
	Events  events.EventRecorder
	Catalog release.Catalog
	// ConflictRetry is how often a taken name is looked at again.
	ConflictRetry time.Duration
	// Now says when an edit was set back.
	Now func() time.Time
}

// +kubebuilder:rbac:groups=streamplane.dev,resources=streamingplatforms,verbs=list;watch
// +kubebuilder:rbac:groups=streamplane.dev,resources=streamingplatforms/status,verbs=patch
// +kubebuilder:rbac:groups=streamplane.dev,resources=microservices,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// SetupWithManager watches StreamingPlatforms, their Microservices and those
// that name them. The index of package membership must exist.
func (r *Reconciler) SetupWithManager(ctx context.Context, mgr ctrl.Manager) error {
	if err := apply.IndexByOwner(ctx, mgr.GetFieldIndexer(), []client.Object{&v1alpha1.Microservice{}}); err != nil {
		return err
	}
	return ctrl.NewControllerManagedBy(mgr).
		For(&v1alpha1.StreamingPlatform{}).
		Watches(&v1alpha1.Microservice{}, membersWatch()).
		Complete(r)
}

// Reconcile observes, computes, applies and reports one StreamingPlatform.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	p := &v1alpha1.StreamingPlatform{}
	if err := r.Client.Get(ctx, req.NamespacedName, p); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !p.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, nil // its Microservices go by garbage collection
	}
	o, err := observe(ctx, r.Client, p, r.Catalog)
	if err != nil {
		return ctrl.Result{}, err
	}
	did := r.act(ctx, o)
	if err := r.report(ctx, o, did); err != nil {
		return ctrl.Result{}, errors.Join(err, did.err)
	}
	if _, ok := errors.AsType[*apply.ConflictError](did.err); ok {
		return ctrl.Result{RequeueAfter: r.ConflictRetry}, nil
	}
	return ctrl.Result{RequeueAfter: conditions.EditsLeft(p.Status.Conditions, did.now)}, did.err
}

func (r *Reconciler) act(ctx context.Context, o observed) outcome {
	did := outcome{releases: r.Catalog.Names(), now: r.Now()}
	if !o.known {
		return did
	}
	if n, err := r.pass(ctx, o); n > 0 {
		did.Writes, did.err = n, err
		return did
	}
	syncer := apply.Syncer{Client: r.Client, Live: r.Live}
	did.Done, did.err = syncer.Sync(ctx, apply.Set{
		Owner:   o.platform,
		Objects: o.wanted.Objects(),
		Keep:    o.wanted.Keep(),
		Kinds:   []client.ObjectList{&v1alpha1.MicroserviceList{}},
	})
	for i := range o.unseeded {
		m := &o.unseeded[i]
		did.err = errors.Join(did.err, apply.SeedScale(ctx, r.Client, m, *m.Spec.Replicas))
	}
	var err error
	did.refused, err = giveRoutes(ctx, r.Client, o.wanted.Routes)
	did.err = errors.Join(did.err, err)
	return did
}

// report writes the status when it changed, and an event when Ready turned.
func (r *Reconciler) report(ctx context.Context, o observed, did outcome) error {
	p := o.platform
	status := statusOf(o, did)
	if did.TellsLater(did.err, p.Status.ObservedGeneration, p.Generation) || equality.Semantic.DeepEqual(p.Status, status) {
		return nil
	}
	before := p.DeepCopy()
	p.Status = status
	err := r.Client.Status().Patch(ctx, p, conditions.Patch(before, len(did.Edits)))
	if apierrors.IsConflict(err) {
		return nil // the cache lags: what changed the resource brings the next reconcile
	}
	if err != nil {
		return fmt.Errorf("write status: %w", err)
	}
	apply.Count("StreamingPlatform", apply.Reporting)
	conditions.Announce(r.Events, p, before.Status.Conditions, p.Status.Conditions)
	conditions.AnnounceEdits(r.Events, p, before.Status.Conditions, p.Status.Conditions)
	return nil
}
