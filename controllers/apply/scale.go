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
	intent, err := scaled(c, o, replicas)
	if err != nil {
		return err
	}
	return writeScale(ctx, c, intent, manager)
}

// SeedScale sets the number of pods of an object unless it has changed since it
// was seen: an autoscaler may have set the number meanwhile.
func SeedScale(ctx context.Context, c client.Client, o client.Object, replicas int32) error {
	intent, err := scaled(c, o, &replicas)
	if err != nil {
		return err
	}
	intent.SetResourceVersion(o.GetResourceVersion())
	err = writeScale(ctx, c, intent, ScaleManager)
	if apierrors.IsConflict(err) {
		return nil // the cache lags: what changed it brings the next reconcile
	}
	return err
}

func scaled(c client.Client, o client.Object, replicas *int32) (*unstructured.Unstructured, error) {
	gvk, err := apiutil.GVKForObject(o, c.Scheme())
	if err != nil {
		return nil, fmt.Errorf("find kind: %w", err)
	}
	intent := &unstructured.Unstructured{Object: map[string]any{}}
	intent.SetGroupVersionKind(gvk)
	intent.SetName(o.GetName())
	intent.SetNamespace(o.GetNamespace())
	intent.SetUID(o.GetUID())
	if replicas != nil {
		intent.Object["spec"] = map[string]any{ReplicasField: int64(*replicas)}
	}
	return intent, nil
}

func writeScale(ctx context.Context, c client.Client, intent *unstructured.Unstructured, manager string) error {
	err := c.Apply(ctx, client.ApplyConfigurationFromUnstructured(intent), client.FieldOwner(manager), client.ForceOwnership)
	if err != nil {
		return fmt.Errorf("set replicas of %s %s: %w", intent.GetKind(), intent.GetName(), err)
	}
	Count(intent.GetKind(), Scaled)
	return nil
}
