package microservice

import (
	"errors"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/apply"
	"github.com/streamplane/streamplane/controllers/conditions"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
)

// An outcome is what one reconcile did to the children.
type outcome struct {
	apply.Done
	// stale says that revisions are other than the cache had them.
	stale bool
	err   error
	// beside are the errors with objects that keep no pod from serving, by kind.
	beside map[schema.GroupVersionKind]error
	now    time.Time
}

// errors are all of them, joined.
func (did outcome) errors() error {
	all := []error{did.err, did.beside[desired.IngressKind]}
	for _, api := range Optional() {
		all = append(all, did.beside[api.Kind])
	}
	return errors.Join(all...)
}

// statusOf is the only place where the status of a Microservice is computed.
func statusOf(o observed, did outcome) v1alpha1.MicroserviceStatus {
	m := o.microservice
	status := *m.Status.DeepCopy() // conditions are set in place
	status.ObservedGeneration = m.Generation
	status.StableSlot = o.slot
	status.Selector = labels.SelectorFromSet(desired.SlotSelector(m, o.slot)).String()
	status.Address = desired.Address(m)
	status.Scaling = scalingStatus(o)
	status.Replicas, status.Pods, status.Slots = 0, "0/0", nil
	if d := o.deployment; d != nil {
		status.Slots = []v1alpha1.SlotStatus{{Name: o.slot, ImageIDs: o.images}}
		status.Replicas = d.Status.Replicas
		status.Pods = fmt.Sprintf("%d/%d", d.Status.AvailableReplicas, wantedReplicas(d))
	}
	putRevisions(&status, o)
	conditions.Set(&status.Conditions, m.Generation, summary(o, did))
	conditions.Put(&status.Conditions, m.Generation, v1alpha1.ConditionScalingActive, scalingActive(o, did))
	conditions.Put(&status.Conditions, m.Generation, v1alpha1.ConditionSignalsActive, signalsActive(o))
	conditions.Put(&status.Conditions, m.Generation, v1alpha1.ConditionPlatformFound, platformFound(o))
	conditions.Put(&status.Conditions, m.Generation, v1alpha1.ConditionServiceNameConflict, nameConflict(o))
	conditions.Put(&status.Conditions, m.Generation, v1alpha1.ConditionConfigResolved, configResolved(o))
	conditions.Put(&status.Conditions, m.Generation, v1alpha1.ConditionPaused, paused(m))
	conditions.Put(&status.Conditions, m.Generation, v1alpha1.ConditionMonitoringReady, monitoringReady(o, did))
	conditions.Put(&status.Conditions, m.Generation, v1alpha1.ConditionRouteReady, routeReady(o, did))
	conditions.PutEdits(&status.Conditions, m.Generation, adviceOn(m, did.Edits), did.now)
	return status
}

// platformFound is nil while the platform exists.
func platformFound(o observed) *metav1.Condition {
	if !o.platformMissing {
		return nil
	}
	name := o.microservice.Spec.PlatformRef.Name
	return &metav1.Condition{
		Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonPlatformNotFound, Message: fmt.Sprintf(
			"there is no StreamingPlatform %s in namespace %s: create it, or correct spec.platformRef.name; the service runs without it",
			name, o.microservice.Namespace),
	}
}

// nameConflict is nil while no other Microservice goes before this one.
func nameConflict(o observed) *metav1.Condition {
	if o.servedBy == "" {
		return nil
	}
	return &metav1.Condition{
		Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonServiceNameConflict, Message: fmt.Sprintf(
			"service %s of platform %s is Microservice %s: remove that one, or make this one again with another spec.serviceName; both run meanwhile",
			desired.ServiceName(o.microservice), o.microservice.Spec.PlatformRef.Name, o.servedBy),
	}
}

// A check names the first reason why a Microservice is not ready.
type check func(observed, outcome) (conditions.Summary, bool)

// summary is the first failing check, in a list that reads aloud.
func summary(o observed, did outcome) conditions.Summary {
	for _, failing := range []check{
		invalid, podTemplateRejected, nameTaken, applyFailed, pausedUnborn, migrationFailed, rolledBack, migrating, notYetSeen, podsRefused, deadlineExceeded,
		rollingOut, podsUnavailable, heldBack,
	} {
		if found, bad := failing(o, did); bad {
			return found
		}
	}
	if wantedReplicas(o.deployment) == 0 {
		return conditions.Ready(v1alpha1.ReasonScaledToZero, "scaled to zero")
	}
	return conditions.Ready(v1alpha1.ReasonAvailable, plural(o.deployment.Status.AvailableReplicas)+" available")
}

func invalid(o observed, _ outcome) (conditions.Summary, bool) {
	return conditions.Stalled(v1alpha1.ReasonInvalidSpec, "spec."+o.problem), o.problem != ""
}

func nameTaken(_ observed, did outcome) (conditions.Summary, bool) {
	var conflict *apply.ConflictError
	if !errors.As(did.err, &conflict) {
		return conditions.Summary{}, false
	}
	return conditions.Stalled(v1alpha1.ReasonNameConflict, conflict.Error()), true
}

func applyFailed(_ observed, did outcome) (conditions.Summary, bool) {
	if did.err == nil {
		return conditions.Summary{}, false
	}
	return conditions.Reconciling(v1alpha1.ReasonApplyFailed, did.err.Error()), true
}

// notYetSeen holds until the cache shows what was applied and the deployment
// controller has seen it: older numbers speak of another generation.
func notYetSeen(o observed, did outcome) (conditions.Summary, bool) {
	d := o.deployment
	seen := did.Writes == 0 && d != nil && d.Status.ObservedGeneration >= d.Generation
	return conditions.Reconciling(v1alpha1.ReasonProgressing, "changes are being applied"), !seen
}

func podsRefused(o observed, _ outcome) (conditions.Summary, bool) {
	c := deploymentCondition(o.deployment, appsv1.DeploymentReplicaFailure)
	if c == nil || c.Status != corev1.ConditionTrue {
		return conditions.Summary{}, false
	}
	return conditions.Reconciling(v1alpha1.ReasonReplicaFailure, "pods cannot be created: "+c.Message), true
}

func deadlineExceeded(o observed, _ outcome) (conditions.Summary, bool) {
	c := deploymentCondition(o.deployment, appsv1.DeploymentProgressing)
	if c == nil || c.Status != corev1.ConditionFalse {
		return conditions.Summary{}, false
	}
	if found := firstCause(o.pods).withSecrets(o.deployment); found.reason != "" {
		return conditions.Stalled(found.reason, found.message()), true
	}
	message := fmt.Sprintf("%s of image %s: no progress within the deadline; look at the pods with kubectl describe",
		plural(o.deployment.Status.UpdatedReplicas), mainImage(o.deployment))
	return conditions.Stalled(v1alpha1.ReasonProgressDeadlineExceeded, message), true
}

func rollingOut(o observed, _ outcome) (conditions.Summary, bool) {
	d := o.deployment
	if c := deploymentCondition(d, appsv1.DeploymentProgressing); c != nil && c.Reason == newReplicaSetAvailable {
		return conditions.Summary{}, false
	}
	if found := firstCause(o.pods).withSecrets(d); found.reason != "" && !found.transient() {
		return conditions.Reconciling(found.reason, found.message()), wantedReplicas(d) > 0
	}
	message := fmt.Sprintf("%d of %s updated, %d available",
		d.Status.UpdatedReplicas, plural(wantedReplicas(d)), d.Status.AvailableReplicas)
	return conditions.Reconciling(v1alpha1.ReasonProgressing, message), wantedReplicas(d) > 0
}

// podsUnavailable compares with the least number of pods, so that neither
// autoscaling nor a drain within the disruption budget makes Ready flap.
func podsUnavailable(o observed, _ outcome) (conditions.Summary, bool) {
	least := leastAvailable(o)
	available := o.deployment.Status.AvailableReplicas
	if available >= least {
		return conditions.Summary{}, false
	}
	if found := firstCause(o.pods).withSecrets(o.deployment); found.reason != "" {
		return conditions.Reconciling(found.reason, found.message()), true
	}
	wanted := max(wantedReplicas(o.deployment), desired.MinReplicas(o.microservice))
	message := fmt.Sprintf("%d of %s available", available, plural(wanted))
	return conditions.Reconciling(v1alpha1.ReasonPodsUnavailable, message), true
}

// newReplicaSetAvailable is the reason of Progressing when a Deployment is done.
const newReplicaSetAvailable = "NewReplicaSetAvailable"

func deploymentCondition(d *appsv1.Deployment, kind appsv1.DeploymentConditionType) *appsv1.DeploymentCondition {
	for i := range d.Status.Conditions {
		if d.Status.Conditions[i].Type == kind {
			return &d.Status.Conditions[i]
		}
	}
	return nil
}

// mainImage is the image of the service in the pods of a Deployment.
func mainImage(d *appsv1.Deployment) string {
	for _, c := range d.Spec.Template.Spec.Containers {
		if c.Name == desired.MainContainer {
			return c.Image
		}
	}
	return ""
}

func wantedReplicas(d *appsv1.Deployment) int32 {
	if d.Spec.Replicas == nil {
		return 1
	}
	return *d.Spec.Replicas
}

func plural(pods int32) string {
	if pods == 1 {
		return "1 pod"
	}
	return fmt.Sprintf("%d pods", pods)
}
