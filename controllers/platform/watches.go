package platform

import (
	"context"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/streamplane/streamplane/api/v1alpha1"
	microservice "github.com/streamplane/streamplane/controllers/microservice/desired"
	"github.com/streamplane/streamplane/controllers/pace"
)

// membersWatch wakes the platforms that Microservices belong to: at once when
// something has to be mended, later when there is only something to tell.
func membersWatch() handler.EventHandler {
	wake := func(o client.Object, q pace.Queue) {
		for _, platform := range platformsOf(o) {
			q.Add(platform)
		}
	}
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, q pace.Queue) {
			if !e.IsInInitialList { // mostly one that the platform has just made
				q = pace.Later(q)
			}
			wake(e.Object, q)
		},
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, q pace.Queue) {
			if onlyStatusChanged(e.ObjectOld, e.ObjectNew) || onlyScaled(e.ObjectOld, e.ObjectNew) {
				q = pace.Later(q)
			}
			wake(e.ObjectOld, q)
			wake(e.ObjectNew, q)
		},
		DeleteFunc:  func(_ context.Context, e event.DeleteEvent, q pace.Queue) { wake(e.Object, q) },
		GenericFunc: func(_ context.Context, e event.GenericEvent, q pace.Queue) { wake(e.Object, q) },
	}
}

// platformsOf are the platform that a Microservice names and the one that made it.
func platformsOf(object client.Object) []reconcile.Request {
	m, ok := object.(*v1alpha1.Microservice)
	if !ok {
		return nil
	}
	in := func(name string) reconcile.Request {
		return reconcile.Request{NamespacedName: types.NamespacedName{Namespace: m.Namespace, Name: name}}
	}
	all := []reconcile.Request{in(m.Spec.PlatformRef.Name)}
	owner := metav1.GetControllerOf(m)
	if owner != nil && owner.Kind == "StreamingPlatform" && owner.Name != m.Spec.PlatformRef.Name {
		all = append(all, in(owner.Name))
	}
	return all
}

// onlyScaled holds for a number of pods that the platform does not set. Its
// status waits until the service has seen the number, so that it does not call
// the service unknown at each step.
func onlyScaled(was, is client.Object) bool {
	before, ok := was.(*v1alpha1.Microservice)
	after, alsoOK := is.(*v1alpha1.Microservice)
	if !ok || !alsoOK || !microservice.ScaledElsewhere(after) {
		return false
	}
	before = before.DeepCopy()
	before.Generation, before.Spec.Replicas = after.Generation, after.Spec.Replicas
	return onlyStatusChanged(before, after) && equality.Semantic.DeepEqual(before.Spec, after.Spec)
}

func onlyStatusChanged(was, is client.Object) bool {
	return was.GetGeneration() == is.GetGeneration() &&
		was.GetDeletionTimestamp().IsZero() == is.GetDeletionTimestamp().IsZero() &&
		equality.Semantic.DeepEqual(was.GetLabels(), is.GetLabels()) &&
		equality.Semantic.DeepEqual(was.GetAnnotations(), is.GetAnnotations()) &&
		equality.Semantic.DeepEqual(was.GetOwnerReferences(), is.GetOwnerReferences())
}
