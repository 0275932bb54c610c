package microservice

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/conditions"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
	"github.com/streamplane/streamplane/controllers/microservice/rollout"
)

// paused is nil while changes are applied. Ready goes on to speak of the pods.
func paused(m *v1alpha1.Microservice) *metav1.Condition {
	if !m.Spec.Paused {
		return nil
	}
	return &metav1.Condition{
		Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonPaused, Message: "spec.paused: changes wait until it is removed",
	}
}

// pausedUnborn holds for a service that was paused before anything was made.
func pausedUnborn(o observed, _ outcome) (conditions.Summary, bool) {
	return conditions.Stalled(v1alpha1.ReasonPaused, "spec.paused: nothing has been made yet"),
		o.microservice.Spec.Paused && o.deployment == nil
}

func podTemplateRejected(o observed, _ outcome) (conditions.Summary, bool) {
	return conditions.Stalled(v1alpha1.ReasonPodTemplateRejected, "spec."+o.rejected), o.rejected != ""
}

// leastAvailable is how many pods a service must have to be ready: the least
// number of its autoscaling, less what a drain may take. One must be there.
func leastAvailable(o observed) int32 {
	least := desired.MinReplicas(o.microservice)
	if o.asleep() {
		return 0
	}
	if desired.ScaledElsewhere(o.microservice) {
		least = min(1, wantedReplicas(o.deployment)) // no bound is known
	}
	if least <= 1 || wantedReplicas(o.deployment) < least {
		return least
	}
	share := desired.DrainShare(o.microservice)
	drained, err := intstr.GetScaledValueFromIntOrPercent(&share, int(least), true)
	if err != nil {
		return least
	}
	return max(1, least-int32(drained))
}

// failureOf is why the pods of the Deployment will not run, or nil.
func failureOf(o observed) *rollout.Failure {
	if found, bad := deadlineExceeded(o, outcome{}); bad {
		return &rollout.Failure{Reason: found.Reason, Message: conditions.Shorten(found.Message)}
	}
	if found := firstCause(o.pods).withSecrets(o.deployment); found.lasting {
		return &rollout.Failure{Reason: found.reason, Message: conditions.Shorten(found.message())}
	}
	return nil
}

// rolledBack holds while the wanted revision has failed and another one runs.
func rolledBack(o observed, did outcome) (conditions.Summary, bool) {
	if o.step.State != rollout.Returned || o.step.Note && !o.acts() {
		return conditions.Summary{}, false
	}
	message := fmt.Sprintf("revision %s with image %s failed, %s with image %s runs again; correct the specification, or change rollout.retry to try once more: ",
		o.wanted.Name, o.wanted.Spec.Image, o.running.Name, o.running.Spec.Image)
	if d := o.deployment; d != nil && d.Annotations[desired.AnnotationRevision] == o.running.Name {
		if found, short := podsUnavailable(o, did); short {
			message += found.Message + " now; "
		}
	}
	return conditions.Stalled(v1alpha1.ReasonRolledBack, message+o.step.Why.Message), true
}

// heldBack holds while the wanted revision waits.
func heldBack(o observed, _ outcome) (conditions.Summary, bool) {
	if o.step.State != rollout.Held {
		return conditions.Summary{}, false
	}
	return conditions.Reconciling(v1alpha1.ReasonHeld, fmt.Sprintf(
		"revision %s waits: %s", o.wanted.Name, o.microservice.Spec.Rollout.Hold)), true
}

// putRevisions tells which revisions there are.
func putRevisions(status *v1alpha1.MicroserviceStatus, o observed) {
	switch {
	case o.acts():
		status.CurrentRevision = o.step.Run
	case o.deployment != nil:
		status.CurrentRevision = o.deployment.Annotations[desired.AnnotationRevision]
	default:
		status.CurrentRevision = ""
	}
	if !o.valid() {
		return
	}
	status.UpdateRevision, status.FailedRevision = o.wanted.Name, ""
	status.StableRevision = o.stable()
	if o.step.State == rollout.Returned {
		status.FailedRevision = o.wanted.Name
	}
}

// onlyWantedPods says whether all pods are of the template that is wanted now.
func onlyWantedPods(o observed) bool {
	d := o.deployment
	return d != nil && rolledOut(d) &&
		desired.FilesInUse(d.Spec.Template) == desired.FilesInUse(o.running.Template)
}

func rolledOut(d *appsv1.Deployment) bool {
	s := d.Status
	return s.ObservedGeneration >= d.Generation && s.UpdatedReplicas == s.Replicas && s.UpdatedReplicas == wantedReplicas(d)
}
