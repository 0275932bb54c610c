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

// routeBounds are those that the API server checks on one resource only.
func routeBounds(spec v1alpha1.WorkloadSpec) string {
	e := spec.Expose
	if e == nil {
		return ""
	}
	if e.Mode == v1alpha1.ExposeDirect && e.Timeout != "" {
		return "expose.timeout: is for mode Gateway, timeouts for mode Direct"
	}
	if direct := *e; e.Mode != v1alpha1.ExposeDirect {
		direct.Mode, direct.Paths = v1alpha1.ExposeDirect, nil
		if AsksForRoute(&direct) {
			return "expose: parentRefs, hostnames, ingress and timeouts are for mode Direct: set it, or remove them"
		}
	}
	if e.Ingress != nil {
		for _, key := range slices.Sorted(maps.Keys(e.Ingress.Annotations)) {
			if strings.HasPrefix(key, ownPrefix) {
				return fmt.Sprintf("expose.ingress.annotations[%s]: belongs to the operator: remove it", key)
			}
			if wrong := validation.IsQualifiedName(strings.ToLower(key)); len(wrong) > 0 {
				return fmt.Sprintf("expose.ingress.annotations[%s]: %s", key, wrong[0])
			}
		}
	}
	if e.Timeouts == nil {
		return ""
	}
	// What is not set, or no duration, is zero: the API server has checked the form.
	request, _ := time.ParseDuration(e.Timeouts.Request)
	attempt, _ := time.ParseDuration(e.Timeouts.BackendRequest)
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
