package platform

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/apply"
	"github.com/streamplane/streamplane/controllers/conditions"
	microservice "github.com/streamplane/streamplane/controllers/microservice/desired"
	"github.com/streamplane/streamplane/controllers/platform/desired"
)

// An outcome is what one reconcile did to the children.
type outcome struct {
	apply.Done
	err error
	// refused is why a gateway of a team does not take its routes, or "".
	refused string
	now     time.Time
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
		conditions.Put(&status.Conditions, o.platform.Generation, v1alpha1.ConditionCallsResolved, callsResolved(o.wanted.Calls))
		conditions.Put(&status.Conditions, o.platform.Generation, v1alpha1.ConditionCallGraphCyclic, callGraphCyclic(o.wanted.Calls))
		conditions.Put(&status.Conditions, o.platform.Generation, v1alpha1.ConditionOverridesUnused, overridesUnused(o.wanted.HandedOver))
		conditions.Put(&status.Conditions, o.platform.Generation, v1alpha1.ConditionRoutesAccepted, routesAccepted(o.wanted.Routes, did.refused))
		conditions.Put(&status.Conditions, o.platform.Generation, v1alpha1.ConditionRouteReady, routeReady(o))
	}
	conditions.PutEdits(&status.Conditions, o.platform.Generation, adviceOn(o.platform, o.wanted, did.Edits), did.now)
	conditions.Set(&status.Conditions, o.platform.Generation, summary(o, did, status.Services))
	joined := membersOf(o)
	if o.known {
		status.Services = append(status.Services, joined.shown(maxLines-len(status.Services))...)
	}
	conditions.Put(&status.Conditions, o.platform.Generation, v1alpha1.ConditionMembersReady, joined.condition())
	return status
}

// maxLines is how many services the API lets a status have.
const maxLines = 100

// serviceStatus is the line of a listed service.
func serviceStatus(o observed, s desired.Service) v1alpha1.ServiceStatus {
	m := s.Microservice
	live, exists := o.microservices[m.Name]
	if exists {
		m = &live
	}
	line := lineOf(s.Name, m)
	if s.Problem != "" {
		line.Ready, line.Reason, line.Message = metav1.ConditionFalse, v1alpha1.ReasonInvalidSpec, conditions.Shorten(s.Problem)
	}
	return line
}

// lineOf speaks of the newest generation of the Microservice only; one that
// does not yet exist has none.
func lineOf(name string, m *v1alpha1.Microservice) v1alpha1.ServiceStatus {
	line := v1alpha1.ServiceStatus{
		Name:         name,
		Microservice: m.Name,
		Ready:        metav1.ConditionUnknown,
		Reason:       v1alpha1.ReasonProgressing,
		Message:      "waiting for the Microservice",
		Pods:         m.Status.Pods,
		Image:        m.Spec.Image,
		Address:      microservice.Address(m),
		Scale:        scale(m),
	}
	c := apimeta.FindStatusCondition(m.Status.Conditions, v1alpha1.ConditionReady)
	if c != nil && m.Status.ObservedGeneration == m.Generation {
		line.Ready, line.Reason, line.Message = c.Status, c.Reason, conditions.Shorten(c.Message)
	}
	return line
}

// scale is the wanted number of pods, for people.
func scale(m *v1alpha1.Microservice) string {
	s := m.Spec
	switch {
	case microservice.ScaledElsewhere(m):
		return "external"
	case s.Autoscaling != nil:
		return fmt.Sprintf("%d..%d", s.Autoscaling.MinReplicas, s.Autoscaling.MaxReplicas)
	case s.Replicas != nil:
		return strconv.Itoa(int(*s.Replicas))
	default:
		return "1"
	}
}

// summary is the first reason why a platform is not ready.
func summary(o observed, did outcome, services []v1alpha1.ServiceStatus) conditions.Summary {
	if !o.known {
		return conditions.Stalled(v1alpha1.ReasonUnknownRelease, fmt.Sprintf(
			"spec.release: this operator has no release %q, only %s; what runs is left as it is", o.releaseName, did.releases))
	}
	if conflict, ok := errors.AsType[*apply.ConflictError](did.err); ok {
		return conditions.Stalled(v1alpha1.ReasonNameConflict, fmt.Sprintf(
			"%s, or let the platform take it with the annotation %s: %s", conflict.Error(), AnnotationHandedOver, o.platform.Name))
	}
	if did.err != nil {
		return conditions.Reconciling(v1alpha1.ReasonApplyFailed, did.err.Error())
	}
	if invalid := firstWith(services, v1alpha1.ReasonInvalidSpec); invalid != nil {
		return conditions.Stalled(v1alpha1.ReasonInvalidSpec, invalid.Message)
	}
	return rollUp(did, rootCause(faultsOf(o, services)), len(services))
}

// rollUp names one root cause: a stalled one before one that is on its way. What was seen before a write is over:
// that all is well, or that somebody must act.
func rollUp(did outcome, root *fault, services int) conditions.Summary {
	switch {
	case did.Writes > 0 && (root == nil || root.stalled):
		return conditions.Reconciling(v1alpha1.ReasonProgressing, "changes are being applied")
	case root == nil:
		return conditions.Ready(v1alpha1.ReasonAvailable, fmt.Sprintf("all %d services are available", services))
	case root.stalled:
		return conditions.Stalled(v1alpha1.ReasonServicesNotReady, root.message())
	default:
		return conditions.Reconciling(v1alpha1.ReasonServicesNotReady, root.message())
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
