package microservice

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/apply"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
)

// scalingActive is the autoscaler's first complaint in its own words; nil
// without an autoscaler of ours, unless another one has a wrong target.
func scalingActive(o observed, did outcome) *metav1.Condition {
	if o.microservice.Spec.Autoscaling == nil {
		return nil
	}
	if desired.ScaledElsewhere(o.microservice) {
		return scaledDirectly(o)
	}
	if desired.ScaledByKEDA(o.microservice) {
		return scaledByKEDA(o, did)
	}
	if o.asleep() {
		z := o.microservice.Spec.Autoscaling.ScaleToZero
		return &metav1.Condition{Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonNothingToDo, Message: fmt.Sprintf(
			"no pod until %s of service %s is more than 0, or a schedule starts", z.Metric, z.Service)}
	}
	found := &metav1.Condition{
		Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonScalingUnknown,
		Message: "the autoscaler has not reported yet",
	}
	if o.autoscaler == nil {
		return found
	}
	all := o.autoscaler.Status.Conditions
	for _, kind := range []autoscalingv2.HorizontalPodAutoscalerConditionType{autoscalingv2.ScalingActive, autoscalingv2.AbleToScale} {
		c := autoscalerCondition(all, kind)
		switch {
		case c == nil:
		case c.Status == corev1.ConditionFalse:
			return &metav1.Condition{
				Status: metav1.ConditionFalse, Reason: cmp.Or(c.Reason, string(kind)), Message: withoutPod(c.Message),
			}
		case kind == autoscalingv2.ScalingActive && c.Status == corev1.ConditionTrue:
			found = &metav1.Condition{
				Status: metav1.ConditionTrue, Reason: cmp.Or(c.Reason, string(kind)), Message: withoutPod(c.Message),
			}
		}
	}
	return found
}

// scaledDirectly is nil while nobody but the operator scales the Deployment.
func scaledDirectly(o observed) *metav1.Condition {
	if o.deployment == nil {
		return nil
	}
	others := apply.Outsiders(o.deployment, apply.ReplicasField)
	if len(others) == 0 {
		return nil
	}
	return &metav1.Condition{
		Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonScaledDirectly, Message: fmt.Sprintf(
			"Deployment %s was last scaled by %s, and spec.replicas took its number: let the autoscaler target Microservice %s of %s instead",
			o.deployment.Name, strings.Join(others, ", "), o.microservice.Name, v1alpha1.GroupVersion),
	}
}

// longestWait is how long a schedule is waited for at once: the clock may be
// set meanwhile.
const longestWait = time.Hour

// wait is how long until a schedule starts or ends, or 0 without any.
func (o observed) wait(now time.Time) time.Duration {
	if o.floor.Next.IsZero() || !o.acts() {
		return 0
	}
	return min(o.floor.Next.Sub(now), longestWait)
}

// signalsActive is nil without signals and sources.
func signalsActive(o observed) *metav1.Condition {
	signals, source := desired.HasSignals(o.microservice), desired.ScalesToZero(o.microservice)
	problem := cmp.Or(o.reading.Problem, o.reading.Source.Problem)
	switch {
	case !signals && !source:
		return nil
	case problem != "":
		return &metav1.Condition{Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonMetricUnavailable, Message: problem}
	case signals && !o.reading.Known && !o.asleep(), source && !o.reading.Source.Known:
		return &metav1.Condition{Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonScalingUnknown, Message: "the pods have not been asked yet"}
	default:
		return &metav1.Condition{Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonSignalsRead, Message: "the metrics of all ready pods are read"}
	}
}

// withSignals raises a floor to what signals ask for. As long as they are not
// known, as after a restart, it stays where the autoscaler has it.
func (o observed) withSignals(f desired.Floor) desired.Floor {
	switch hpa := o.autoscaler; {
	case !desired.HasSignals(o.microservice):
	case o.reading.Known:
		f.Replicas = max(f.Replicas, o.reading.Floor)
	case hpa != nil && hpa.Spec.MinReplicas != nil:
		f.Replicas = max(f.Replicas, *hpa.Spec.MinReplicas)
	}
	return f
}

// scalingStatus is nil without schedules and signals. What is not applied is not
// shown.
func scalingStatus(o observed) *v1alpha1.ScalingStatus {
	m := o.microservice
	switch {
	case m.Spec.Autoscaling == nil || len(m.Spec.Autoscaling.Schedules) == 0 && !desired.HasSignals(m):
		return nil
	case !o.acts():
		return m.Status.Scaling
	default:
		return &v1alpha1.ScalingStatus{
			MinReplicas:     desired.WithFloor(m, o.floor.Replicas).Spec.Autoscaling.MinReplicas,
			ActiveSchedules: o.floor.Active,
		}
	}
}

func autoscalerCondition(
	all []autoscalingv2.HorizontalPodAutoscalerCondition, kind autoscalingv2.HorizontalPodAutoscalerConditionType,
) *autoscalingv2.HorizontalPodAutoscalerCondition {
	for i := range all {
		if all[i].Type == kind {
			return &all[i]
		}
	}
	return nil
}

// ofPod is how the autoscaler names one of the pods, now this and now that.
var ofPod = regexp.MustCompile(`(?i) (of|for) pod \S+`)

func withoutPod(message string) string { return ofPod.ReplaceAllString(message, "") }

// scaledByKEDA is what KEDA says about the ScaledObject.
func scaledByKEDA(o observed, did outcome) *metav1.Condition {
	if problem := notMade(o, did, desired.ScaledObjectKind); problem != nil {
		problem.Message += "; the number of pods stays as it is"
		return problem
	}
	found := &metav1.Condition{
		Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonScalingUnknown, Message: "KEDA has not reported yet",
	}
	if o.scaledObject == nil {
		return found
	}
	var read struct {
		Status struct {
			Conditions []metav1.Condition `json:"conditions"`
		} `json:"status"`
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.scaledObject.Object, &read); err != nil {
		found.Message = "the status of the ScaledObject cannot be read: " + err.Error()
		return found
	}
	for _, c := range read.Status.Conditions {
		if c.Type == "Ready" && (c.Status == metav1.ConditionTrue || c.Status == metav1.ConditionFalse) {
			return &metav1.Condition{Status: c.Status, Reason: cmp.Or(c.Reason, "ScaledObject"), Message: c.Message}
		}
	}
	return found
}
