package desired

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// maxPods is the greatest number of pods of a service.
const maxPods = 1000

// a rule returns the field that breaks it, and the fix, or "".
type rule func(v1alpha1.WorkloadSpec) string

// Validate checks the specification of a service against all rules, also those
// that the API server can check on the parts of a merged specification only. It
// returns "" or the first field that breaks a rule, and the fix.
func Validate(spec v1alpha1.WorkloadSpec) string {
	for _, broken := range []rule{
		needsImage, oneScale, startNumber, bounds, targets, schedules, signals, cpuRequest, memoryRequest, disruption,
		oneSource, storageFits, onePod, migrationBeside, mountsExist, filesFit, namesDiffer, envFromOne, podMetadata, patchBounds,
		monitorLabels, exposeMode, ingressAnnotations, routeTimeouts, kedaTargets,
	} {
		if problem := broken(spec); problem != "" {
			return problem
		}
	}
	return ""
}

func needsImage(spec v1alpha1.WorkloadSpec) string {
	if spec.Image == "" {
		return "image: required, because the service is not a bundled one of this release"
	}
	return ""
}

func oneScale(spec v1alpha1.WorkloadSpec) string {
	if spec.Replicas != nil && spec.Autoscaling != nil && !external(spec) {
		return "replicas: mutually exclusive with autoscaling: remove one of them, or set autoscaling.mode to External"
	}
	return ""
}

func startNumber(spec v1alpha1.WorkloadSpec) string {
	if external(spec) && spec.Replicas == nil {
		return "replicas: required with autoscaling.mode External: the number of pods to start with"
	}
	return ""
}

func bounds(spec v1alpha1.WorkloadSpec) string {
	a := spec.Autoscaling
	switch {
	case a == nil || external(spec):
		return ""
	case a.MinReplicas == 0:
		return "autoscaling.minReplicas: required"
	case a.MaxReplicas == 0:
		return "autoscaling.maxReplicas: required"
	case a.MinReplicas > a.MaxReplicas:
		return fmt.Sprintf("autoscaling.minReplicas: %d exceeds maxReplicas %d", a.MinReplicas, a.MaxReplicas)
	default:
		return ""
	}
}

func targets(spec v1alpha1.WorkloadSpec) string {
	a := spec.Autoscaling
	switch {
	case a == nil:
		return ""
	case external(spec) && (a.MinReplicas != 0 || a.MaxReplicas != 0 || a.CPU != nil || a.Memory != nil || len(a.Metrics) > 0 || a.Behavior != nil || len(a.Schedules) > 0):
		return "autoscaling.mode: External leaves bounds, targets, behavior and schedules to the other autoscaler: remove them"
	case a.Memory != nil && (a.Memory.AverageUtilization == 0) == (a.Memory.AverageValue == nil):
		return "autoscaling.memory: set exactly one of averageUtilization and averageValue"
	default:
		return ""
	}
}

// cpuRequest matters because utilization is a share of the request.
func cpuRequest(spec v1alpha1.WorkloadSpec) string {
	if spec.Autoscaling == nil || external(spec) || cpuUtilization(spec.Autoscaling) == 0 || requests(spec, corev1.ResourceCPU) {
		return ""
	}
	return "resources.requests.cpu: required by autoscaling on cpu"
}

func memoryRequest(spec v1alpha1.WorkloadSpec) string {
	a := spec.Autoscaling
	if a == nil || a.Memory == nil || a.Memory.AverageUtilization == 0 || requests(spec, corev1.ResourceMemory) {
		return ""
	}
	return "resources.requests.memory: required by autoscaling on the utilization of memory"
}

// requests says whether the main container requests a resource: a limit alone
// is one.
func requests(spec v1alpha1.WorkloadSpec, name corev1.ResourceName) bool {
	if spec.Resources == nil {
		return false
	}
	_, requested := spec.Resources.Requests[name]
	_, limited := spec.Resources.Limits[name]
	return requested || limited
}

func disruption(spec v1alpha1.WorkloadSpec) string {
	d := spec.Disruption
	if d == nil || d.MaxUnavailable == nil {
		return ""
	}
	if d.Mode == v1alpha1.DisruptionUnlimited {
		return "disruption.maxUnavailable: has no meaning with mode Unlimited: remove one of them"
	}
	n, err := intstr.GetScaledValueFromIntOrPercent(d.MaxUnavailable, maxPods, true)
	if err != nil || n < 0 || n > maxPods {
		return fmt.Sprintf("disruption.maxUnavailable: %s is neither between 0 and %d nor a percentage", d.MaxUnavailable, maxPods)
	}
	return ""
}
