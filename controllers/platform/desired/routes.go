package desired

import (
	"fmt"
	"slices"
	"strings"

	"github.com/streamplane/streamplane/api/v1alpha1"
	microservice "github.com/streamplane/streamplane/controllers/microservice/desired"
)

// maxRoutes is how many the API lets a gateway have.
const maxRoutes = 200

// AnnotationHandedOver names the platform that handed a Microservice over. With
// it the platform may take the Microservice back, and gives a gateway its
// routes; a team that removes it refuses both.
const AnnotationHandedOver = "streamplane.dev/handed-over-by"

// Routing is what of the wanted paths the gateway cannot serve.
type Routing struct {
	// Refused names the fields, and the fix.
	Refused []string
	// Gateway is that of a team, which the platform gives Routes; nil when the
	// platform has one of its own, or none.
	Gateway *v1alpha1.Microservice
	// Routes that Gateway gets.
	Routes []v1alpha1.Route
}

// RefusedMessage is Refused for people, or "".
func (r Routing) RefusedMessage() string { return strings.Join(r.Refused, "; ") }

// route gives the gateway the paths of the services that are exposed through
// it: those that the platform lists first, then those of teams, oldest first.
func route(platform string, services []Service, teams []v1alpha1.Microservice) Routing {
	var own, teamsOwn *v1alpha1.Microservice
	for _, s := range services {
		if s.Name == microservice.GatewayName {
			own = s.Microservice
		}
	}
	for i := range teams {
		if own == nil && microservice.ServiceName(&teams[i]) == microservice.GatewayName {
			teamsOwn = &teams[i]
		}
	}
	r := router{taken: map[v1alpha1.RoutePath]string{}, hasGateway: own != nil || teamsOwn != nil}
	for _, s := range services {
		r.add(fmt.Sprintf("services[%s]", s.Name), s.Microservice)
	}
	teams = slices.Clone(teams)
	slices.SortStableFunc(teams, func(a, b v1alpha1.Microservice) int {
		return a.CreationTimestamp.Compare(b.CreationTimestamp.Time)
	})
	for i := range teams {
		r.add(fmt.Sprintf("Microservice %s: spec", teams[i].Name), &teams[i])
	}
	switch {
	case own != nil:
		own.Spec.Routes = r.routes
	case teamsOwn != nil && teamsOwn.Annotations[AnnotationHandedOver] == platform:
		return Routing{Refused: r.refused, Gateway: teamsOwn, Routes: r.routes}
	case teamsOwn != nil:
		r.lacking(teamsOwn, platform)
	}
	return Routing{Refused: r.refused}
}

// lacking refuses the paths that a gateway of a team does not have by itself.
func (r *router) lacking(gateway *v1alpha1.Microservice, platform string) {
	for _, route := range r.routes {
		if !slices.Contains(gateway.Spec.Routes, route) {
			r.refuse(fmt.Sprintf("Microservice %s: spec.routes", gateway.Name), fmt.Sprintf(
				"%s of %s is missing: its team adds it, or the annotation %s: %s, with which the platform fills the routes in",
				route.Path, route.Service, AnnotationHandedOver, platform))
		}
	}
}

type router struct {
	hasGateway bool
	taken      map[v1alpha1.RoutePath]string
	routes     []v1alpha1.Route
	refused    []string
}

func (r *router) add(field string, m *v1alpha1.Microservice) {
	if !microservice.Routed(m.Spec.WorkloadSpec) {
		return
	}
	name, expose := microservice.ServiceName(m), m.Spec.Expose
	switch {
	case name == microservice.GatewayName:
		r.refuse(field+".expose.mode", "the gateway cannot be reached through itself: use Direct")
		return
	case !r.hasGateway:
		r.refuse(field+".expose.mode", "the platform has no gateway: enable it, or use Direct")
		return
	}
	paths := expose.Paths
	if len(paths) == 0 {
		paths = []v1alpha1.RoutePath{v1alpha1.RoutePath("/" + name)}
	}
	for _, p := range paths {
		switch owner := r.taken[p]; {
		case owner != "":
			r.refuse(field+".expose.paths", fmt.Sprintf("%s belongs to %s: choose another", p, owner))
		case len(r.routes) == maxRoutes:
			r.refuse(field+".expose.paths", fmt.Sprintf("a gateway has at most %d paths", maxRoutes))
		default:
			r.taken[p] = name
			r.routes = append(r.routes, v1alpha1.Route{
				Path: p, Service: name, Microservice: m.Name, Port: microservice.Ports(m)[0].Port, Timeout: expose.Timeout,
			})
		}
	}
}

func (r *router) refuse(field, why string) { r.refused = append(r.refused, field+": "+why) }
