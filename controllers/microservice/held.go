package microservice

import (
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/conditions"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
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

// onlyWantedPods says whether all pods are of the template that is wanted now.
func onlyWantedPods(o observed) bool {
	d := o.deployment
	return d != nil && rolledOut(d) &&
		desired.FilesInUse(d.Spec.Template) == desired.FilesWanted(o.microservice)
}

func rolledOut(d *appsv1.Deployment) bool {
	s := d.Status
	return s.ObservedGeneration >= d.Generation && s.UpdatedReplicas == s.Replicas && s.UpdatedReplicas == wantedReplicas(d)
}
