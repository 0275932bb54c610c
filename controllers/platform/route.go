package platform

import (
	"slices"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
	microservice "github.com/streamplane/streamplane/controllers/microservice/desired"
	"github.com/streamplane/streamplane/controllers/platform/desired"
)

// routeReady is the first listed service whose route is not ready, a broken one
// before one that waits; nil when no route is asked for.
func routeReady(o observed) *metav1.Condition {
	var found *metav1.Condition
	for _, s := range o.wanted.Services {
		m, exists := o.microservices[s.Microservice.Name]
		if !exists {
			continue
		}
		c := apimeta.FindStatusCondition(m.Status.Conditions, v1alpha1.ConditionRouteReady)
		if c == nil || found != nil && severity(c) <= severity(found) {
			continue
		}
		found = &metav1.Condition{Status: c.Status, Reason: c.Reason, Message: s.Name + ": " + c.Message}
	}
	if found == nil && o.platform.Spec.Edge != nil && !gettingRoute(o) {
		return &metav1.Condition{
			Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonNoRoute,
			Message: "spec.edge: no service takes it up: enable the service gateway, or give another one expose.paths",
		}
	}
	return found
}

// gettingRoute says whether a listed service asks for one, and will say so.
func gettingRoute(o observed) bool {
	return slices.ContainsFunc(o.wanted.Services, func(s desired.Service) bool { return microservice.WantsRoute(s.Microservice) })
}

func severity(c *metav1.Condition) int {
	switch c.Status {
	case metav1.ConditionFalse:
		return 2
	case metav1.ConditionUnknown:
		return 1
	default:
		return 0
	}
}
