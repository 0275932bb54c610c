package microservice

import (
	"context"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/membership"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
	"github.com/streamplane/streamplane/controllers/pace"
)

// members are the Microservices that name a platform: their status says when
// it does not exist.
func (r *Reconciler) members(ctx context.Context, platform client.Object) []reconcile.Request {
	return r.requests(ctx, client.ObjectKeyFromObject(platform), func(*v1alpha1.Microservice) bool { return true })
}

// namesakes are the other Microservices with one's service name.
func (r *Reconciler) namesakes(ctx context.Context, object client.Object) []reconcile.Request {
	one, ok := object.(*v1alpha1.Microservice)
	if !ok {
		return nil
	}
	platform := types.NamespacedName{Namespace: one.Namespace, Name: one.Spec.PlatformRef.Name}
	return r.requests(ctx, platform, func(m *v1alpha1.Microservice) bool {
		return m.Name != one.Name && desired.ServiceName(m) == desired.ServiceName(one)
	})
}

func (r *Reconciler) requests(ctx context.Context, platform types.NamespacedName, is func(*v1alpha1.Microservice) bool) []reconcile.Request {
	all, err := membership.Of(ctx, r.Client, platform)
	if err != nil { // the cache has no index: a fault of the program
		logf.FromContext(ctx).Error(err, "Cannot find the Microservices of a platform")
	}
	var requests []reconcile.Request
	for i := range all {
		if is(&all[i]) {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&all[i])})
		}
	}
	return requests
}

// everyone is asked when an optional kind comes or goes.
func (r *Reconciler) everyone(ctx context.Context) []reconcile.Request {
	all := &v1alpha1.MicroserviceList{}
	if err := r.Client.List(ctx, all, client.UnsafeDisableDeepCopy); err != nil { // from the cache: the operator is ending
		logf.FromContext(ctx).Error(err, "Cannot list the Microservices")
	}
	requests := make([]reconcile.Request, len(all.Items))
	for i := range all.Items {
		requests[i].NamespacedName = client.ObjectKeyFromObject(&all.Items[i])
	}
	return requests
}

// ownedWatch wakes the owner of an object. An object that appears was mostly
// just made by a reconcile, and matters to the status only.
func ownedWatch(mgr ctrl.Manager) handler.EventHandler {
	owner := handler.EnqueueRequestForOwner(mgr.GetScheme(), mgr.GetRESTMapper(), &v1alpha1.Microservice{}, handler.OnlyControllerOwner())
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q pace.Queue) {
			if !e.IsInInitialList {
				q = pace.Later(q)
			}
			owner.Create(ctx, e, q)
		},
		UpdateFunc:  owner.Update,
		DeleteFunc:  owner.Delete,
		GenericFunc: owner.Generic,
	}
}

// comesOrGoes leaves out updates.
func comesOrGoes() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(event.UpdateEvent) bool { return false }}
}

// nameMoves leaves out updates that leave the service name to whom it belonged.
func nameMoves() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		was, ok := e.ObjectOld.(*v1alpha1.Microservice)
		is, alsoOK := e.ObjectNew.(*v1alpha1.Microservice)
		return ok && alsoOK && (was.Spec.PlatformRef != is.Spec.PlatformRef || membership.IsTeams(was) != membership.IsTeams(is) ||
			was.DeletionTimestamp.IsZero() != is.DeletionTimestamp.IsZero())
	}}
}
