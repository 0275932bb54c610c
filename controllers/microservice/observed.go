package microservice

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
)

// observed is everything that one reconcile reads, read once.
type observed struct {
	microservice *v1alpha1.Microservice
	slot         string
	// problem is the rule that the specification breaks, or "".
	problem string
	// rejected is what pods may not be, or "".
	rejected string
	// deployment of the slot; nil while it does not exist or is not ours.
	deployment *appsv1.Deployment
}

func observe(ctx context.Context, c client.Reader, m *v1alpha1.Microservice) (observed, error) {
	o := observed{microservice: m, slot: desired.SlotBlue, problem: desired.Validate(m.Spec.WorkloadSpec)}
	if o.problem == "" {
		o.rejected = desired.Rejected(m, o.slot)
	}
	deployment := &appsv1.Deployment{}
	name := client.ObjectKey{Namespace: m.Namespace, Name: desired.Name(m.Name, o.slot)}
	err := c.Get(ctx, name, deployment)
	if client.IgnoreNotFound(err) != nil {
		return o, fmt.Errorf("read deployment %s: %w", name.Name, err)
	}
	if err == nil && metav1.IsControlledBy(deployment, m) {
		o.deployment = deployment
	}
	return o, nil
}
