package desired

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

func monitorLabels(spec v1alpha1.WorkloadSpec) string {
	if spec.Metrics == nil {
		return ""
	}
	for _, key := range slices.Sorted(maps.Keys(spec.Metrics.Labels)) {
		if strings.HasPrefix(key, ownPrefix) || strings.HasPrefix(key, appPrefix) {
			return fmt.Sprintf("metrics.labels[%s]: the operator sets it itself: remove it", key)
		}
		if wrong := validation.IsQualifiedName(key); len(wrong) > 0 {
			return fmt.Sprintf("metrics.labels[%s]: %s", key, wrong[0])
		}
	}
	return ""
}

// exposeMode keeps the fields of the two modes apart.
func exposeMode(spec v1alpha1.WorkloadSpec) string {
	e := spec.Expose
	if e == nil {
		return ""
	}
	if e.Mode == v1alpha1.ExposeDirect {
		if e.Timeout != "" {
			return "expose.timeout: is for mode Gateway, timeouts for mode Direct"
		}
		return ""
	}
	if len(e.ParentRefs) > 0 || len(e.Hostnames) > 0 || e.Ingress != nil || e.Timeouts != nil {
		return "expose: parentRefs, hostnames, ingress and timeouts are for mode Direct: set it, or remove them"
	}
	return ""
}

func ingressAnnotations(spec v1alpha1.WorkloadSpec) string {
	if spec.Expose == nil || spec.Expose.Ingress == nil {
		return ""
	}
	for _, key := range slices.Sorted(maps.Keys(spec.Expose.Ingress.Annotations)) {
		if strings.HasPrefix(key, ownPrefix) {
			return fmt.Sprintf("expose.ingress.annotations[%s]: belongs to the operator: remove it", key)
		}
		if wrong := validation.IsQualifiedName(strings.ToLower(key)); len(wrong) > 0 {
			return fmt.Sprintf("expose.ingress.annotations[%s]: %s", key, wrong[0])
		}
	}
	return ""
}

func routeTimeouts(spec v1alpha1.WorkloadSpec) string {
	if spec.Expose == nil || spec.Expose.Timeouts == nil {
		return ""
	}
	// What is not set, or no duration, is zero: the API server has checked the form.
	request, _ := time.ParseDuration(spec.Expose.Timeouts.Request)
	attempt, _ := time.ParseDuration(spec.Expose.Timeouts.BackendRequest)
	if request > 0 && attempt > request {
		return "expose.timeouts.backendRequest: must not exceed request"
	}
	return ""
}

// kedaTargets are what KEDA can be told.
func kedaTargets(spec v1alpha1.WorkloadSpec) string {
	a := spec.Autoscaling
	switch {
	case a == nil:
		return ""
	case !keda(spec) && len(a.Triggers) > 0:
		return "autoscaling.triggers: need mode KEDA"
	case keda(spec) && len(a.Metrics) > 0:
		return "autoscaling.metrics: mode KEDA takes triggers instead"
	case keda(spec) && len(a.Triggers) == 0 && a.CPU == nil && a.Memory == nil:
		return "autoscaling.triggers: mode KEDA needs triggers, cpu or memory"
	default:
		return ""
	}
}
