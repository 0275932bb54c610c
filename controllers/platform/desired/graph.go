package desired

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/streamplane/streamplane/api/v1alpha1"
	microservice "github.com/streamplane/streamplane/controllers/microservice/desired"
)

// CallGraph is what is odd about the calls of a platform. Nothing waits for it
// to be mended: services start without those that they call.
type CallGraph struct {
	// Unknown names the fields that call a service which does not exist.
	Unknown []string
	// Cycle is the path of a service that calls itself by way of others, such
	// as a, b, a; empty without one.
	Cycle []string
}

// UnknownMessage is Unknown for people, or "".
func (g CallGraph) UnknownMessage() string { return strings.Join(g.Unknown, "; ") }

// CycleMessage is Cycle for people, or "".
func (g CallGraph) CycleMessage() string { return strings.Join(g.Cycle, " → ") }

// a caller is one service of the graph.
type caller struct {
	name string
	// field is where its specification is, for people.
	field string
	calls []v1alpha1.Call
}

// callers are the services that the platform has, those of teams included.
func callers(listed []Service, teams []v1alpha1.Microservice) []caller {
	var all []caller
	for _, s := range listed {
		all = append(all, caller{s.Name, fmt.Sprintf("services[%s]", s.Name), s.Microservice.Spec.Calls})
	}
	for _, m := range teams {
		all = append(all, caller{microservice.ServiceName(&m), fmt.Sprintf("Microservice %s: spec", m.Name), m.Spec.Calls})
	}
	return all
}

func callGraph(all []caller) CallGraph {
	edges := map[string][]string{}
	for _, c := range all {
		edges[c.name] = nil
	}
	var g CallGraph
	for _, c := range all {
		for _, call := range c.calls {
			if _, known := edges[call.To]; !known {
				g.Unknown = append(g.Unknown, fmt.Sprintf("%s.calls[%s]: the platform has no service %q", c.field, call.To, call.To))
				continue
			}
			edges[c.name] = append(edges[c.name], call.To)
		}
	}
	walk := walk{edges: edges, done: map[string]bool{}}
	for _, c := range all {
		if g.Cycle = walk.from(c.name); g.Cycle != nil {
			break
		}
	}
	return g
}

// walk looks for a cycle, depth first.
type walk struct {
	edges map[string][]string
	path  []string
	// done names the services from which no cycle is reached.
	done map[string]bool
}

func (w *walk) from(name string) []string {
	if i := slices.Index(w.path, name); i >= 0 {
		return append(slices.Clone(w.path[i:]), name)
	}
	if w.done[name] {
		return nil
	}
	w.path = append(w.path, name)
	for _, next := range w.edges[name] {
		if cycle := w.from(next); cycle != nil {
			return cycle
		}
	}
	w.path = w.path[:len(w.path)-1]
	w.done[name] = true
	return nil
}

// connect fills in where called services listen, and which Microservice
// answers for a team's service.
func connect(all []Service, teams []v1alpha1.Microservice, handedOver map[string]bool) {
	type callee struct {
		port         int32
		microservice string
	}
	callees := map[string]callee{}
	for _, m := range teams {
		callees[microservice.ServiceName(&m)] = callee{microservice.Ports(&m)[0].Port, m.Name}
	}
	for _, s := range all { // a listed service answers for its name
		if _, teams := callees[s.Name]; teams && handedOver[s.Name] {
			continue
		}
		callees[s.Name] = callee{microservice.Ports(s.Microservice)[0].Port, s.Microservice.Name}
	}
	for _, s := range all {
		calls := s.Microservice.Spec.Calls
		for i := range calls {
			found := callees[calls[i].To]
			calls[i].Port = cmp.Or(calls[i].Port, found.port)
			if found.microservice != microservice.Name(s.Microservice.Spec.PlatformRef.Name, calls[i].To) {
				calls[i].Microservice = cmp.Or(calls[i].Microservice, found.microservice)
			}
		}
	}
}
