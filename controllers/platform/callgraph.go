package platform

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/platform/desired"
)

// callsResolved is nil while every service that is called exists.
func callsResolved(g desired.CallGraph) *metav1.Condition {
	if len(g.Unknown) == 0 {
		return nil
	}
	return &metav1.Condition{Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonUnknownCallee, Message: g.UnknownMessage()}
}

// callGraphCyclic is nil while no service calls itself by way of others.
func callGraphCyclic(g desired.CallGraph) *metav1.Condition {
	if len(g.Cycle) == 0 {
		return nil
	}
	return &metav1.Condition{Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonCycle, Message: g.CycleMessage()}
}

// routesAccepted is nil while the gateway serves every path that is wanted.
func routesAccepted(r desired.Routing, byTeam string) *metav1.Condition {
	if byTeam != "" {
		r.Refused = append(slices.Clone(r.Refused), byTeam)
	}
	if len(r.Refused) == 0 {
		return nil
	}
	return &metav1.Condition{Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonRouteConflict, Message: r.RefusedMessage()}
}
