package microservice

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/membership"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
	"github.com/streamplane/streamplane/controllers/microservice/rollout"
	"github.com/streamplane/streamplane/controllers/optional"
	"github.com/streamplane/streamplane/controllers/signals"
)

// observed is everything that one reconcile reads, read once.
type observed struct {
	microservice *v1alpha1.Microservice
	slot         string
	// problem is the rule that the specification breaks, or "".
	problem string
	// rejected is what pods may not be, or "".
	rejected string
	// history are the revisions that are stored.
	history history
	// wanted is the revision that the specification asks for, and running the one
	// that the slot is to run, as step says.
	wanted, running desired.Revision
	step            rollout.Step
	// migration of the wanted revision.
	migration migration
	// deployment of the slot; nil while it does not exist or is not ours.
	deployment *appsv1.Deployment
	// pods of the newest version in the slot; shared with the cache.
	pods []corev1.Pod
	// images that run in the slot, of all versions.
	images []string
	// autoscaler of the slot; nil while it does not exist or is not ours.
	autoscaler *autoscalingv2.HorizontalPodAutoscaler
	// configuration is what pods take from ConfigMaps and Secrets.
	configuration configuration
	// scaledObject is how KEDA scales the slot; nil while it does not exist or is
	// not ours.
	scaledObject *unstructured.Unstructured
	// served are the optional kinds that can be worked with.
	served optional.Served
	// route and ingress are what they are called; nil while they do not exist or
	// are not ours, or are not asked for.
	route   *unstructured.Unstructured
	ingress *networkingv1.Ingress
	// reading is what signals ask for.
	reading signals.Reading
	// floor is what schedules and signals ask for at the moment.
	floor desired.Floor
	// platformMissing says that a team's Microservice names a StreamingPlatform
	// that does not exist. A platform's own one goes with its platform.
	platformMissing bool
	// servedBy is the Microservice that goes before this one under its service
	// name, or "".
	servedBy string
}

func observe(ctx context.Context, c client.Reader, m *v1alpha1.Microservice, config Configuration, served optional.Served) (observed, error) {
	o := observed{microservice: m, slot: desired.SlotBlue, problem: desired.Validate(m.Spec.WorkloadSpec), served: served}
	if o.problem == "" {
		o.rejected = desired.Rejected(m, o.slot)
	}
	if err := o.readClaims(ctx, c); err != nil {
		return o, err
	}
	if err := o.readSlot(ctx, c); err != nil {
		return o, err
	}
	if err := o.readRoute(ctx, c); err != nil {
		return o, err
	}
	var err error
	if o.configuration, err = config.read(ctx, c, m, o.slot); err != nil {
		return o, err
	}
	if o.deployment != nil {
		pods, err := slotPods(ctx, c, o)
		if err != nil {
			return o, err
		}
		o.pods, o.images = newest(o.deployment, pods), imagesOf(pods)
	}
	if err := o.readPlatform(ctx, c); err != nil {
		return o, err
	}
	if o.history, err = readHistory(ctx, c, o); err != nil || !o.valid() {
		return o, err
	}
	o.wanted = desired.RevisionOf(m, o.slot, o.config().Stamp)
	if o.migration, err = readMigration(ctx, c, o); err != nil {
		return o, err
	}
	return o, o.decide()
}

// readClaims looks whether what is asked of claims that exist can be done.
func (o *observed) readClaims(ctx context.Context, c client.Reader) error {
	if o.problem != "" {
		return nil
	}
	for _, wanted := range desired.Claims(o.microservice) {
		claim := &corev1.PersistentVolumeClaim{}
		err := c.Get(ctx, client.ObjectKeyFromObject(wanted), claim)
		if client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("read claim %s: %w", wanted.GetName(), err)
		}
		if err != nil {
			continue
		}
		if o.problem = desired.ClaimProblem(o.microservice, claim); o.problem != "" {
			return nil
		}
	}
	return nil
}

// readSlot reads what runs and scales the slot, where it is ours.
func (o *observed) readSlot(ctx context.Context, c client.Reader) error {
	m := o.microservice
	name := client.ObjectKey{Namespace: m.Namespace, Name: desired.Name(m.Name, o.slot)}
	deployment, autoscaler := &appsv1.Deployment{}, &autoscalingv2.HorizontalPodAutoscaler{}
	err := c.Get(ctx, name, deployment)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("read deployment %s: %w", name.Name, err)
	}
	if err == nil && metav1.IsControlledBy(deployment, m) {
		o.deployment = deployment
	}
	err = c.Get(ctx, name, autoscaler)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("read autoscaler %s: %w", name.Name, err)
	}
	if err == nil && metav1.IsControlledBy(autoscaler, m) {
		o.autoscaler = autoscaler
	}
	scaled, err := o.served.Get(ctx, desired.ScaledObjectKind, name)
	if scaled != nil && metav1.IsControlledBy(scaled, m) {
		o.scaledObject = scaled
	}
	return err
}

// readRoute reads what requests from outside are routed by.
func (o *observed) readRoute(ctx context.Context, c client.Reader) error {
	m := o.microservice
	if !desired.WantsRoute(m) {
		return nil
	}
	ingress := &networkingv1.Ingress{}
	err := c.Get(ctx, client.ObjectKeyFromObject(m), ingress)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("read ingress %s: %w", m.Name, err)
	}
	if err == nil && metav1.IsControlledBy(ingress, m) {
		o.ingress = ingress
	}
	route, err := o.served.Get(ctx, desired.HTTPRouteKind, client.ObjectKeyFromObject(m))
	if err != nil {
		return err
	}
	if route != nil && metav1.IsControlledBy(route, m) {
		o.route = route
	}
	return nil
}

// readPlatform looks for the platform and for namesakes inside it.
func (o *observed) readPlatform(ctx context.Context, c client.Reader) error {
	m := o.microservice
	name := client.ObjectKey{Namespace: m.Namespace, Name: m.Spec.PlatformRef.Name}
	err := c.Get(ctx, name, &v1alpha1.StreamingPlatform{})
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("read platform %s: %w", name.Name, err)
	}
	o.platformMissing = err != nil && membership.IsTeams(m)
	all, err := membership.Of(ctx, c, name)
	if err != nil {
		return err
	}
	if first := membership.First(all, desired.ServiceName(m)); first != nil && first.Name != m.Name {
		o.servedBy = first.Name
	}
	return nil
}
