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

// Routing is what of the wanted paths the gateway cannot serve.
type Routing struct {
	// Refused names the fields, and the fix.
	Refused []string
}

// RefusedMessage is Refused for people, or "".
func (r Routing) RefusedMessage() string { return strings.Join(r.Refused, "; ") }

// route gives the gateway the paths of the services that are exposed through
// it: those that the platform lists first, then those of teams, oldest first.
func route(services []Service, teams []v1alpha1.Microservice) Routing {
	var gateway *v1alpha1.Microservice
	for _, s := range services {
		if s.Name == microservice.GatewayName {
			gateway = s.Microservice
		}
	}
	r := router{taken: map[v1alpha1.RoutePath]string{}, hasGateway: gateway != nil}
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
	if gateway != nil {
		gateway.Spec.Routes = r.routes
	}
	return Routing{Refused: r.refused}
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
		r.refuse(field+".expose.mode", "the platform runs no gateway of its own: enable it, or use Direct")
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
