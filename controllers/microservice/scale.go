package microservice

import (
	"cmp"
	"context"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/controllers/apply"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
)

// externalManager owns spec.replicas of a Deployment whose number follows that
// of its Microservice, which an autoscaler of others sets.
const externalManager = "streamplane-external"

// handOverScale keeps the number of pods when autoscaling takes over. Without a
// second owner the API server would drop the field with our next apply and
// default it to 1. It never hands over to an autoscaler of ours fewer pods than
// the least number, and never zero, which would switch it off. It says whether
// the Microservice itself was written, which brings the next reconcile.
func handOverScale(ctx context.Context, c client.Client, o observed) (bool, error) {
	d := o.deployment
	switch {
	case o.microservice.Spec.Autoscaling == nil || d == nil:
		return false, nil
	case desired.ScaledElsewhere(o.microservice):
		return followScale(ctx, c, o)
	case owns(d, apply.FieldManager), owns(d, externalManager) && !owns(d, apply.ScaleManager):
		n := max(wantedReplicas(d), desired.MinReplicas(o.microservice))
		return false, apply.Scale(ctx, c, d, apply.ScaleManager, new(cmp.Or(n, desired.StartReplicas(o.microservice))))
	default:
		return false, nil
	}
}

// followScale gives the Deployment the number of its Microservice. A number that
// somebody else gave the Deployment passes to the Microservice first: that of the
// mode before, or of an autoscaler that does not yet target the Microservice.
func followScale(ctx context.Context, c client.Client, o observed) (bool, error) {
	d, wanted, has := o.deployment, *o.microservice.Spec.Replicas, wantedReplicas(o.deployment)
	fixed, seeded := owns(d, apply.FieldManager), owns(d, apply.ScaleManager)
	follows := owns(d, externalManager) && !fixed && !seeded
	given := fixed && has > 0 || seeded || len(apply.Outsiders(d, apply.ReplicasField)) > 0 // not only by default
	switch {
	case has == wanted && follows:
		return false, nil
	case has != wanted && !follows && given:
		return true, apply.SeedScale(ctx, c, o.microservice, has)
	}
	err := apply.Scale(ctx, c, d, externalManager, &wanted)
	if err == nil && seeded {
		err = apply.Scale(ctx, c, d, apply.ScaleManager, nil)
	}
	return false, err
}

// seedScale starts an autoscaled Deployment that was just created with its
// number to start with, rather than with 1 until the autoscaler has looked.
func seedScale(ctx context.Context, c client.Client, o observed, created []client.Object) error {
	m := o.microservice
	if m.Spec.Autoscaling == nil {
		return nil
	}
	manager := apply.ScaleManager
	if desired.ScaledElsewhere(m) {
		manager = externalManager
	}
	for _, object := range created {
		if d, ok := object.(*appsv1.Deployment); ok {
			return apply.Scale(ctx, c, d, manager, new(desired.StartReplicas(m)))
		}
	}
	return nil
}

// asleep says that a service that scales to zero has no pod.
func (o observed) asleep() bool {
	return desired.ScalesToZero(o.microservice) && o.deployment != nil && wantedReplicas(o.deployment) == 0
}

// sleepOrWake takes the pods away while there is nothing to do, and brings them
// back: an autoscaler of Kubernetes moves no number that is 0.
func sleepOrWake(ctx context.Context, c client.Client, o observed) error {
	m, d := o.microservice, o.deployment
	if m.Spec.Autoscaling == nil || d == nil || desired.ScaledElsewhere(m) || desired.ScaledByKEDA(m) {
		return nil
	}
	zero, needed := desired.ScalesToZero(m), o.reading.Source.Work || len(o.floor.Active) > 0
	switch n := wantedReplicas(d); {
	case n == 0 && (zero && needed || !zero && owns(d, apply.ScaleManager)): // none but this function gave it to that manager
		return apply.Scale(ctx, c, d, apply.ScaleManager, new(desired.MinReplicas(m)))
	case n > 0 && zero && !needed && o.reading.Source.Idle:
		return apply.Scale(ctx, c, d, apply.ScaleManager, new(int32(0)))
	default:
		return nil
	}
}

// owns says whether one of the managers of the operator sets the number of a
// Deployment.
func owns(d *appsv1.Deployment, manager string) bool {
	return slices.ContainsFunc(d.ManagedFields, func(e metav1.ManagedFieldsEntry) bool {
		return e.Manager == manager && setsReplicas(e)
	})
}

// setsReplicas says whether a manager of the operator owns the number by an entry.
func setsReplicas(e metav1.ManagedFieldsEntry) bool {
	return slices.Contains([]string{apply.FieldManager, apply.ScaleManager, externalManager}, e.Manager) &&
		e.Operation == metav1.ManagedFieldsOperationApply &&
		e.FieldsV1 != nil && strings.Contains(e.FieldsV1.GetRawString(), `"f:replicas"`)
}

// TrimOwners leaves out of an object for the cache who owns its fields. That is
// much, and of what a Microservice makes only the number of pods is asked for,
// and who edits it by hand: at rest nobody.
func TrimOwners(object any) (any, error) {
	o, ok := object.(metav1.Object)
	if !ok {
		return object, nil // a tombstone
	}
	o.SetManagedFields(slices.DeleteFunc(o.GetManagedFields(), func(e metav1.ManagedFieldsEntry) bool {
		return !setsReplicas(e) && !apply.MayBeEdit(e)
	}))
	if len(o.GetManagedFields()) == 0 {
		o.SetManagedFields(nil)
	}
	return object, nil
}
