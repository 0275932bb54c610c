// Package microservice reconciles a Microservice into the Kubernetes objects
// that run it.
package microservice

import (
	"context"
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/apply"
	"github.com/streamplane/streamplane/controllers/conditions"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
	"github.com/streamplane/streamplane/controllers/microservice/rollout"
	"github.com/streamplane/streamplane/controllers/optional"
	"github.com/streamplane/streamplane/controllers/signals"
)

// Reconciler makes the cluster run what each Microservice asks for.
type Reconciler struct {
	Client client.Client
	Live   client.Reader
	Events events.EventRecorder
	// Config reads what services take from ConfigMaps and Secrets.
	Config Configuration
	// Optional are the kinds that the cluster may not serve.
	Optional *optional.APIs
	// Signals reads the metrics of services that scale by them.
	Signals *signals.Reader
	// ConflictRetry is how often a taken name is looked at again.
	ConflictRetry time.Duration
	// Now is the clock of schedules, and of edits that were set back.
	Now func() time.Time
}

// +kubebuilder:rbac:groups=streamplane.dev,resources=microservices,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=streamplane.dev,resources=microservices/status,verbs=patch
// +kubebuilder:rbac:groups=apps,resources=deployments,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=apps,resources=controllerrevisions,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=batch,resources=jobs,verbs=get;list;watch;create;delete
// +kubebuilder:rbac:groups=autoscaling,resources=horizontalpodautoscalers,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",resources=configmaps;services;serviceaccounts,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=networking.k8s.io,resources=ingresses;networkpolicies,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=policy,resources=poddisruptionbudgets,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",resources=persistentvolumeclaims,verbs=get;list;watch;create;patch
// +kubebuilder:rbac:groups=gateway.networking.k8s.io,resources=httproutes,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=keda.sh,resources=scaledobjects,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=monitoring.coreos.com,resources=servicemonitors,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",resources=pods,verbs=list;watch
// +kubebuilder:rbac:groups=streamplane.dev,resources=streamingplatforms,verbs=list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Owned lists the kinds that a Microservice may own: watched, indexed and pruned.
func Owned() []client.Object {
	return []client.Object{
		&corev1.ServiceAccount{},
		&corev1.ConfigMap{},
		&networkingv1.NetworkPolicy{},
		&corev1.Service{},
		&appsv1.Deployment{},
		&autoscalingv2.HorizontalPodAutoscaler{},
		&policyv1.PodDisruptionBudget{},
		&networkingv1.Ingress{},
		&appsv1.ControllerRevision{},
		&batchv1.Job{},
	}
}

// Kept lists the kinds that outlive a Microservice: watched, found again by
// their labels, and never deleted.
func Kept() []client.Object { return []client.Object{&corev1.PersistentVolumeClaim{}} }

// prunable is Owned as lists, without ConfigMaps, revisions, migrations and the
// kinds beside.
func prunable() []client.ObjectList {
	return []client.ObjectList{
		&corev1.ServiceAccountList{},
		&networkingv1.NetworkPolicyList{},
		&corev1.ServiceList{},
		&appsv1.DeploymentList{},
		&autoscalingv2.HorizontalPodAutoscalerList{},
		&policyv1.PodDisruptionBudgetList{},
	}
}

// prunableNow adds ConfigMaps once no pod is left that may need an older one.
func prunableNow(o observed) []client.ObjectList {
	if !o.serves() {
		return nil
	}
	all := prunable()
	if onlyWantedPods(o) {
		all = append(all, &corev1.ConfigMapList{})
	}
	return all
}

// SetupWithManager watches Microservices, everything made for them, their pods,
// and what their status says about platforms and namesakes. The index of
// package membership must exist.
func (r *Reconciler) SetupWithManager(ctx context.Context, mgr ctrl.Manager) error {
	if err := apply.IndexByOwner(ctx, mgr.GetFieldIndexer(), Owned()); err != nil {
		return err
	}
	if err := indexPods(ctx, mgr.GetFieldIndexer()); err != nil {
		return err
	}
	if err := r.Config.index(ctx, mgr.GetFieldIndexer()); err != nil {
		return err
	}
	to := handler.EnqueueRequestsFromMapFunc
	b := ctrl.NewControllerManagedBy(mgr).For(&v1alpha1.Microservice{}).
		Watches(&corev1.Pod{}, to(microserviceOf), builder.WithPredicates(statusChanged())).
		Watches(&v1alpha1.StreamingPlatform{}, to(r.members), builder.WithPredicates(comesOrGoes())).
		Watches(&v1alpha1.Microservice{}, to(r.namesakes), builder.WithPredicates(nameMoves())).
		WatchesRawSource(source.Channel(r.Signals.Changes(), &handler.EnqueueRequestForObject{})).
		WatchesRawSource(r.Optional.Source(optional.Watcher{
			Objects:  handler.EnqueueRequestForOwner(mgr.GetScheme(), mgr.GetRESTMapper(), &v1alpha1.Microservice{}, handler.OnlyControllerOwner()),
			Affected: r.everyone,
		}))
	for _, kind := range r.Config.kinds() {
		b = b.Watches(kind, to(r.users), builder.WithPredicates(r.Config.contentChanged()))
	}
	for _, kind := range Owned() {
		b = b.Watches(kind, ownedWatch(mgr))
	}
	for _, kind := range Kept() {
		b = b.Watches(kind, to(microserviceOf))
	}
	return b.Complete(r)
}

// Reconcile observes, computes, applies and reports one Microservice.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	m := &v1alpha1.Microservice{}
	if err := r.Client.Get(ctx, req.NamespacedName, m); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !m.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, nil // its objects go by garbage collection
	}
	o, err := observe(ctx, r.Client, m, r.Config, r.Optional.Now())
	if err != nil {
		return ctrl.Result{}, err
	}
	now := r.Now()
	o.reading = r.Signals.Of(m)
	o.floor = o.withSignals(desired.FloorAt(m, now))
	did := r.act(ctx, o)
	did.now = now
	failed := did.errors()
	if did.stale {
		return ctrl.Result{}, nil // what the cache lacks brings the next reconcile
	}
	if err := r.report(ctx, o, did); err != nil {
		return ctrl.Result{}, errors.Join(err, failed)
	}
	if _, ok := errors.AsType[*apply.ConflictError](failed); ok {
		return ctrl.Result{RequeueAfter: r.ConflictRetry}, nil
	}
	return ctrl.Result{RequeueAfter: soonest(o.wait(now), conditions.EditsLeft(m.Status.Conditions, now))}, failed
}

// soonest is the shorter of two waits, of which 0 waits for nothing.
func soonest(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return a + b
	}
	return min(a, b)
}

// acts says whether the specification is applied: otherwise what runs stays as
// it is.
func (o observed) acts() bool { return o.valid() && !o.microservice.Spec.Paused }

// valid says whether the specification can be applied.
func (o observed) valid() bool { return o.problem == "" && o.rejected == "" }

func (r *Reconciler) act(ctx context.Context, o observed) outcome {
	if !o.acts() {
		return outcome{}
	}
	recorded, err := r.record(ctx, o)
	if err != nil {
		return outcome{err: err, stale: apierrors.IsConflict(err)}
	}
	o.microservice = desired.WithFloor(o.microservice, o.floor.Replicas)
	if passed, err := handOverScale(ctx, r.Client, o); passed || err != nil {
		return outcome{err: err}
	}
	serving, others := split(o.objects())
	if fallback := desired.Fallback(o.microservice); fallback != nil && needsFallback(o) {
		others[desired.IngressKind] = append(others[desired.IngressKind], fallback)
	}
	syncer := apply.Syncer{Client: r.Client, Live: r.Live}
	done, err := syncer.Sync(ctx, apply.Set{
		Owner:   o.microservice,
		Kept:    desired.Claims(o.microservice),
		KeptBy:  desired.ClaimedBy(o.microservice),
		Objects: serving,
		Kinds:   prunableNow(o),
	})
	if err == nil {
		err = seedScale(ctx, r.Client, o, done.Created)
	}
	if err == nil {
		err = sleepOrWake(ctx, r.Client, o)
	}
	if err == nil {
		err = r.forget(ctx, o)
	}
	done.Writes += recorded
	if err == nil {
		var n int
		n, err = r.migrate(ctx, o)
		done.Writes += n
	}
	did := outcome{Done: done, err: err}
	if err == nil && o.serves() {
		did.beside = r.actBeside(ctx, o, others)
	}
	return did
}

// serves is false before the first pod of a service, and while it is not known
// which revision its pods are of.
func (o observed) serves() bool { return o.step.Run != "" }

// objects are what the slot runs by, and what a migration needs beside.
func (o observed) objects() []client.Object {
	m := o.microservice
	if !o.serves() {
		return desired.BeforePods(m, o.running)
	}
	all := desired.Objects(m, o.slot, o.running, o.config().Baseline)
	if o.step.State == rollout.Migrating {
		all = desired.With(all, desired.Needs(m, o.wanted)...)
	}
	return all
}

// actBeside syncs each kind for itself: what is wrong with one concerns no other.
func (r *Reconciler) actBeside(ctx context.Context, o observed, wanted map[schema.GroupVersionKind][]client.Object) map[schema.GroupVersionKind]error {
	failed := map[schema.GroupVersionKind]error{}
	syncer := apply.Syncer{Client: o.served.Client(r.Client), Live: r.Live}
	for kind, list := range beside(o.served) {
		_, err := syncer.Sync(ctx, apply.Set{Owner: o.microservice, Objects: wanted[kind], Kinds: []client.ObjectList{list}})
		if err != nil {
			failed[kind] = err
		}
	}
	return failed
}

// report writes the status when it changed, and an event when Ready turned.
func (r *Reconciler) report(ctx context.Context, o observed, did outcome) error {
	m := o.microservice
	status := statusOf(o, did)
	if did.TellsLater(did.errors(), m.Status.ObservedGeneration, m.Generation) || equality.Semantic.DeepEqual(m.Status, status) {
		return nil
	}
	before := m.DeepCopy()
	m.Status = status
	err := r.Client.Status().Patch(ctx, m, conditions.Patch(before, len(did.Edits)))
	if apierrors.IsConflict(err) {
		return nil // the cache lags: what changed the resource brings the next reconcile
	}
	if err != nil {
		return fmt.Errorf("write status: %w", err)
	}
	apply.Count("Microservice", apply.Reporting)
	conditions.Announce(r.Events, m, before.Status.Conditions, m.Status.Conditions)
	conditions.AnnounceEdits(r.Events, m, before.Status.Conditions, m.Status.Conditions)
	return nil
}
