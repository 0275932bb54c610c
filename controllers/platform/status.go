package platform

import (
	"cmp"
	"errors"
	"fmt"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/apply"
	"github.com/streamplane/streamplane/controllers/conditions"
	"github.com/streamplane/streamplane/controllers/platform/desired"
)

// An outcome is what one reconcile did to the children.
type outcome struct {
	writes int
	err    error
	// releases that the operator knows, for people.
	releases string
}

// statusOf is the only place where the status of a StreamingPlatform is computed.
func statusOf(o observed, did outcome) v1alpha1.StreamingPlatformStatus {
	status := *o.platform.Status.DeepCopy() // conditions are set in place
	status.ObservedGeneration = o.platform.Generation
	if o.known {
		status.Release = o.releaseName
		status.Services = nil
		ready := 0
		for _, s := range o.wanted.Services {
			line := serviceStatus(o, s)
			if line.Ready == metav1.ConditionTrue {
				ready++
			}
			status.Services = append(status.Services, line)
		}
		status.ServicesReady = fmt.Sprintf("%d/%d", ready, len(status.Services))
		setCallGraph(&status.Conditions, o.platform.Generation, o.wanted.Calls)
	}
	conditions.Set(&status.Conditions, o.platform.Generation, summary(o, did, status.Services))
	return status
}

// serviceStatus speaks of the newest generation of the Microservice only.
func serviceStatus(o observed, s desired.Service) v1alpha1.ServiceStatus {
	line := v1alpha1.ServiceStatus{
		Name:         s.Name,
		Microservice: s.Microservice.Name,
		Ready:        metav1.ConditionUnknown,
		Reason:       v1alpha1.ReasonProgressing,
		Message:      "waiting for the Microservice",
		Image:        s.Microservice.Spec.Image,
	}
	live, exists := o.microservices[s.Microservice.Name]
	if exists {
		line.Pods = live.Status.Pods
		line.Image = live.Spec.Image
		c := apimeta.FindStatusCondition(live.Status.Conditions, v1alpha1.ConditionReady)
		if c != nil && live.Status.ObservedGeneration == live.Generation {
			line.Ready, line.Reason, line.Message = c.Status, c.Reason, conditions.Shorten(c.Message)
		}
	}
	if s.Problem != "" {
		line.Ready, line.Reason, line.Message = metav1.ConditionFalse, v1alpha1.ReasonInvalidSpec, conditions.Shorten(s.Problem)
	}
	return line
}

// summary is the first reason why a platform is not ready.
func summary(o observed, did outcome, services []v1alpha1.ServiceStatus) conditions.Summary {
	if !o.known {
		return conditions.Stalled(v1alpha1.ReasonUnknownRelease, fmt.Sprintf(
			"spec.release: this operator has no release %q, only %s; what runs is left as it is", o.releaseName, did.releases))
	}
	if conflict, ok := errors.AsType[*apply.ConflictError](did.err); ok {
		return conditions.Stalled(v1alpha1.ReasonNameConflict, conflict.Error())
	}
	if did.err != nil {
		return conditions.Reconciling(v1alpha1.ReasonApplyFailed, did.err.Error())
	}
	if invalid := firstWith(services, v1alpha1.ReasonInvalidSpec); invalid != nil {
		return conditions.Stalled(v1alpha1.ReasonInvalidSpec, invalid.Message)
	}
	if did.writes > 0 {
		return conditions.Reconciling(v1alpha1.ReasonProgressing, "changes are being applied")
	}
	return rollUp(o, services)
}

// rollUp names one service: a stalled one before one that is on its way.
func rollUp(o observed, services []v1alpha1.ServiceStatus) conditions.Summary {
	var waiting, stalled string
	for _, s := range services {
		if s.Ready == metav1.ConditionTrue {
			continue
		}
		text := s.Name + ": " + s.Message
		waiting = cmp.Or(waiting, text)
		// Unknown: the Microservice has not yet seen the change that may mend it.
		if s.Ready == metav1.ConditionFalse &&
			apimeta.IsStatusConditionTrue(o.microservices[s.Microservice].Status.Conditions, v1alpha1.ConditionStalled) {
			stalled = cmp.Or(stalled, text)
		}
	}
	switch {
	case stalled != "":
		return conditions.Stalled(v1alpha1.ReasonServicesNotReady, stalled)
	case waiting != "":
		return conditions.Reconciling(v1alpha1.ReasonServicesNotReady, waiting)
	default:
		return conditions.Ready(v1alpha1.ReasonAvailable, fmt.Sprintf("all %d services are available", len(services)))
	}
}

func firstWith(services []v1alpha1.ServiceStatus, reason string) *v1alpha1.ServiceStatus {
	for i := range services {
		if services[i].Reason == reason {
			return &services[i]
		}
	}
	return nil
}
