package microservice

import (
	"cmp"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
)

// routeReady is nil when no route is asked for.
func routeReady(o observed, did outcome) *metav1.Condition {
	m := o.microservice
	switch {
	case !desired.WantsRoute(m):
		return nil
	case !desired.HasHTTPRoute(m) && m.Spec.Expose.Ingress == nil:
		return &metav1.Condition{
			Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonNoParent,
			Message: "spec.expose asks for a route: set its parentRefs or its ingress, or spec.edge of the platform",
		}
	case !desired.HasHTTPRoute(m):
		return ingressReady(o, did)
	}
	route := notMade(o, did, desired.HTTPRouteKind)
	if route == nil {
		route = accepted(m.Spec.Expose.ParentRefs, o.route)
	}
	if route.Status == metav1.ConditionTrue || m.Spec.Expose.Ingress == nil {
		return route
	}
	meanwhile := ingressReady(o, did)
	meanwhile.Message += ", until the HTTPRoute is accepted: " + route.Message
	return meanwhile
}

// needsFallback says whether the Ingress has to serve.
func needsFallback(o observed) bool {
	return !o.served.Has(desired.HTTPRouteKind) ||
		accepted(o.microservice.Spec.Expose.ParentRefs, o.route).Status != metav1.ConditionTrue
}

func ingressReady(o observed, did outcome) *metav1.Condition {
	if problem := notMade(o, did, desired.IngressKind); problem != nil {
		return problem
	}
	i := o.ingress
	if i == nil || len(i.Status.LoadBalancer.Ingress) == 0 {
		return pending("the Ingress has no address yet: is there a controller for its class?")
	}
	at := i.Status.LoadBalancer.Ingress[0]
	return &metav1.Condition{
		Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonIngressReady, Message: "the Ingress serves at " + at.IP + at.Hostname,
	}
}

func pending(message string) *metav1.Condition {
	return &metav1.Condition{Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonRoutePending, Message: message}
}

// routeStatus is what is read of an HTTPRoute's status.
type routeStatus struct {
	Status struct {
		Parents []routeParent `json:"parents"`
	} `json:"status"`
}

// routeParent is what one controller says about one parent.
type routeParent struct {
	ParentRef struct {
		Name        string `json:"name"`
		Namespace   string `json:"namespace"`
		SectionName string `json:"sectionName"`
	} `json:"parentRef"`
	Conditions []metav1.Condition `json:"conditions"`
}

// accepted says what the Gateways make of a route: the first complaint, else
// the first that has not yet spoken.
func accepted(parents []v1alpha1.ParentReference, route *unstructured.Unstructured) *metav1.Condition {
	var read routeStatus
	if route != nil {
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(route.Object, &read); err != nil {
			return pending(fmt.Sprintf("the status of the HTTPRoute cannot be read: %v", err))
		}
	}
	var waiting *metav1.Condition
	var names []string
	for _, parent := range parents {
		said := ofParent(read.Status.Parents, parent, route)
		switch {
		case said == nil && waiting == nil:
			waiting = pending(fmt.Sprintf("no controller has taken up the HTTPRoute for Gateway %s yet", nameOf(parent)))
		case said == nil:
		case said.Status == metav1.ConditionFalse:
			return &metav1.Condition{
				Status: metav1.ConditionFalse, Reason: said.Reason, Message: fmt.Sprintf("Gateway %s: %s", nameOf(parent), said.Message),
			}
		default:
			names = append(names, nameOf(parent))
		}
	}
	if waiting != nil {
		return waiting
	}
	return &metav1.Condition{
		Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonRouteAccepted, Message: "accepted by Gateway " + strings.Join(names, ", "),
	}
}

// ofParent is the complaint about a parent, or else that all is well; nil while
// nothing has been said about this generation of the route.
func ofParent(all []routeParent, parent v1alpha1.ParentReference, route *unstructured.Unstructured) *metav1.Condition {
	var good *metav1.Condition
	for _, p := range all {
		here := route.GetNamespace() // what an absent namespace means
		if p.ParentRef.Name != parent.Name || p.ParentRef.SectionName != parent.SectionName ||
			cmp.Or(p.ParentRef.Namespace, here) != cmp.Or(parent.Namespace, here) {
			continue
		}
		for i := range p.Conditions {
			c := &p.Conditions[i]
			switch {
			case c.ObservedGeneration != 0 && c.ObservedGeneration < route.GetGeneration():
			case c.Type != "Accepted" && c.Type != "ResolvedRefs":
			case c.Status == metav1.ConditionFalse:
				return c
			case c.Type == "Accepted" && c.Status == metav1.ConditionTrue:
				good = c
			}
		}
	}
	return good
}

func nameOf(p v1alpha1.ParentReference) string {
	name := p.Name
	if p.Namespace != "" {
		name = p.Namespace + "/" + name
	}
	if p.SectionName != "" {
		name += " (" + p.SectionName + ")"
	}
	return name
}
