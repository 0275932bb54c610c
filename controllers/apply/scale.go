package apply

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// ScaleManager owns spec.replicas, and nothing else, while the number passes
// from one who sets it to another: of a Deployment to an autoscaler of ours, of
// a Microservice to one of others.
const ScaleManager = "streamplane-scale"

// ReplicasField is the number of pods in a specification that can be scaled.
const ReplicasField = "replicas"

// Scale sets the number of pods of an object as a manager; nil only ends what
// the manager owns of it.
func Scale(ctx context.Context, c client.Client, o client.Object, manager string, replicas *int32) error {
	return scale(ctx, c, o, manager, replicas, "")
}

// SeedScale sets the number of pods of an object unless it has changed since it
// was seen: an autoscaler may have set the number meanwhile.
func SeedScale(ctx context.Context, c client.Client, o client.Object, replicas int32) error {
	err := scale(ctx, c, o, ScaleManager, &replicas, o.GetResourceVersion())
	if apierrors.IsConflict(err) {
		return nil // the cache lags: what changed it brings the next reconcile
	}
	return err
}

func scale(ctx context.Context, c client.Client, o client.Object, manager string, replicas *int32, version string) error {
	gvk, err := apiutil.GVKForObject(o, c.Scheme())
	if err != nil {
		return fmt.Errorf("find kind: %w", err)
	}
	intent := &unstructured.Unstructured{Object: map[string]any{}}
	intent.SetGroupVersionKind(gvk)
	intent.SetName(o.GetName())
	intent.SetNamespace(o.GetNamespace())
	intent.SetUID(o.GetUID())
	intent.SetResourceVersion(version)
	if replicas != nil {
		intent.Object["spec"] = map[string]any{ReplicasField: int64(*replicas)}
	}
	err = c.Apply(ctx, client.ApplyConfigurationFromUnstructured(intent), client.FieldOwner(manager), client.ForceOwnership)
	if err != nil {
		return fmt.Errorf("set replicas of %s %s: %w", gvk.Kind, o.GetName(), err)
	}
	Count(gvk.Kind, Scaled)
	return nil
}
