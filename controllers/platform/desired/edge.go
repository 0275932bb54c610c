package desired

import (
	"github.com/streamplane/streamplane/api/v1alpha1"
	microservice "github.com/streamplane/streamplane/controllers/microservice/desired"
)

// atEdge is how a service is reached from outside: the platform's edge fills
// in what a route of the service does not say itself.
func atEdge(edge *v1alpha1.Edge, service string, own *v1alpha1.Expose) *v1alpha1.Expose {
	if edge == nil || service != microservice.GatewayName && !microservice.AsksForRoute(own) {
		return own
	}
	e := own.DeepCopy()
	if e == nil {
		e = &v1alpha1.Expose{Mode: v1alpha1.ExposeDirect}
	}
	from := edge.DeepCopy()
	if e.ParentRefs == nil && e.Ingress == nil { // a service that has its own way does not get another
		e.ParentRefs, e.Ingress = from.ParentRefs, from.Ingress
	}
	if e.Hostnames == nil {
		e.Hostnames = from.Hostnames
	}
	return e
}
