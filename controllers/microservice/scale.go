package microservice

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/controllers/apply"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
)

// scaleManager owns spec.replicas of a Deployment, and nothing else, while the
// number passes from the specification to an autoscaler.
const scaleManager = "streamplane-scale"

// handOverScale keeps the number of pods when autoscaling takes over from a
// fixed number. Without a second owner the API server would drop the field
// with our next apply and default it to 1. It never hands over fewer pods than
// the least number, and never zero, which would switch an autoscaler off.
func handOverScale(ctx context.Context, c client.Client, o observed) error {
	d := o.deployment
	if o.microservice.Spec.Autoscaling == nil || d == nil || !ownsReplicas(d) {
		return nil
	}
	n := max(wantedReplicas(d), desired.MinReplicas(o.microservice))
	return applyScale(ctx, c, d, cmp.Or(n, desired.StartReplicas(o.microservice)))
}

// seedScale starts an autoscaled Deployment that was just created with its
// number to start with, rather than with 1 until the autoscaler has looked.
func seedScale(ctx context.Context, c client.Client, o observed, created []client.Object) error {
	if o.microservice.Spec.Autoscaling == nil {
		return nil
	}
	for _, object := range created {
		if d, ok := object.(*appsv1.Deployment); ok {
			return applyScale(ctx, c, d, desired.StartReplicas(o.microservice))
		}
	}
	return nil
}

func applyScale(ctx context.Context, c client.Client, d *appsv1.Deployment, replicas int32) error {
	intent := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1",
		"kind":       "Deployment",
		"spec":       map[string]any{"replicas": int64(replicas)},
	}}
	intent.SetName(d.Name)
	intent.SetNamespace(d.Namespace)
	intent.SetUID(d.UID)
	err := c.Apply(ctx, client.ApplyConfigurationFromUnstructured(intent),
		client.FieldOwner(scaleManager), client.ForceOwnership)
	if err != nil {
		return fmt.Errorf("set replicas of %s: %w", d.Name, err)
	}
	apply.Count("Deployment", apply.Scaled)
	return nil
}

func ownsReplicas(d *appsv1.Deployment) bool {
	return slices.ContainsFunc(d.ManagedFields, saysWeOwnReplicas)
}

func saysWeOwnReplicas(e metav1.ManagedFieldsEntry) bool {
	return e.Manager == apply.FieldManager && e.Operation == metav1.ManagedFieldsOperationApply &&
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
		return !saysWeOwnReplicas(e) && !apply.MayBeEdit(e)
	}))
	if len(o.GetManagedFields()) == 0 {
		o.SetManagedFields(nil)
	}
	return object, nil
}
