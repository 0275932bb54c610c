package platform

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/conditions"
	"github.com/streamplane/streamplane/controllers/membership"
	microservice "github.com/streamplane/streamplane/controllers/microservice/desired"
	"github.com/streamplane/streamplane/controllers/platform/desired"
)

// members are the Microservices that teams wrote and that join a platform.
type members struct {
	// lines of those that stand for a service, by name.
	lines []v1alpha1.ServiceStatus
	// conflicts says of each of the others whose service name it has.
	conflicts []string
}

// Teams are, of the Microservices that name a platform, those of teams that
// stand for a service, by name.
func Teams(p *v1alpha1.StreamingPlatform, sharing []v1alpha1.Microservice) []v1alpha1.Microservice {
	var all []v1alpha1.Microservice
	for i := range sharing {
		m := &sharing[i]
		if writtenByTeam(p, m) && membership.First(sharing, microservice.ServiceName(m)).Name == m.Name {
			all = append(all, *m)
		}
	}
	slices.SortFunc(all, func(a, b v1alpha1.Microservice) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

func membersOf(o observed) members {
	listed := map[string]bool{}
	for _, s := range o.wanted.Services {
		listed[s.Name] = true
	}
	var all members
	for i := range o.sharing {
		m := &o.sharing[i]
		if !writtenByTeam(o.platform, m) {
			continue
		}
		name := microservice.ServiceName(m)
		if listed[name] {
			all.conflicts = append(all.conflicts, fmt.Sprintf("Microservice %s: the platform lists a service %s itself", m.Name, name))
			continue
		}
		if first := membership.First(o.sharing, name); first.Name != m.Name {
			all.conflicts = append(all.conflicts, fmt.Sprintf("Microservice %s: service %s is Microservice %s", m.Name, name, first.Name))
			continue
		}
		line := lineOf(name, m)
		line.ManagedBy = v1alpha1.ManagedByTeam
		all.lines = append(all.lines, line)
	}
	all.lines = append(all.lines, missing(o.wanted.HandedOver, all.lines)...)
	slices.Sort(all.conflicts)
	slices.SortFunc(all.lines, func(a, b v1alpha1.ServiceStatus) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// missing are the lines of services that are handed over to nobody.
func missing(handedOver []desired.HandedOver, lines []v1alpha1.ServiceStatus) []v1alpha1.ServiceStatus {
	var all []v1alpha1.ServiceStatus
	for _, h := range handedOver {
		if slices.ContainsFunc(lines, func(line v1alpha1.ServiceStatus) bool { return line.Name == h.Name }) {
			continue
		}
		all = append(all, v1alpha1.ServiceStatus{
			Name: h.Name, Microservice: h.Microservice, ManagedBy: v1alpha1.ManagedByTeam,
			Ready: metav1.ConditionFalse, Reason: v1alpha1.ReasonMicroserviceMissing, Message: fmt.Sprintf(
				"services[%s].managedBy is Team, but no Microservice of this platform has spec.serviceName %s: create one, or remove managedBy",
				h.Name, h.Name),
		})
	}
	return all
}

// overridesUnused is nil while every field of spec.services has an effect.
func overridesUnused(handedOver []desired.HandedOver) *metav1.Condition {
	var all []string
	for _, h := range handedOver {
		if len(h.Unused) > 0 {
			all = append(all, fmt.Sprintf("services[%s]: %s", h.Name, strings.Join(h.Unused, ", ")))
		}
	}
	if len(all) == 0 {
		return nil
	}
	return &metav1.Condition{
		Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonManagedByTeam,
		Message: conditions.ShortenBefore(strings.Join(all, "; "), ": no effect while managedBy is Team, whose Microservice says what runs"),
	}
}

// shown are as many lines as fit into the status.
func (m members) shown(room int) []v1alpha1.ServiceStatus {
	return m.lines[:min(len(m.lines), room)]
}

// condition is nil when there are no members.
func (m members) condition() *metav1.Condition {
	var waiting []string
	for _, line := range m.lines {
		if line.Ready != metav1.ConditionTrue {
			waiting = append(waiting, line.Name+": "+line.Message)
		}
	}
	switch {
	case len(m.conflicts) > 0:
		return notAllReady(v1alpha1.ReasonServiceNameConflict, m.conflicts, "; remove one of them, or give it another spec.serviceName")
	case len(waiting) > 0:
		return notAllReady(v1alpha1.ReasonMembersNotReady, waiting, "")
	case len(m.lines) > 0:
		return &metav1.Condition{
			Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonAvailable,
			Message: fmt.Sprintf("all %d members are ready", len(m.lines)),
		}
	default:
		return nil
	}
}

func notAllReady(reason string, texts []string, fix string) *metav1.Condition {
	if more := len(texts) - 1; more > 0 {
		fix += fmt.Sprintf("; and %d more", more)
	}
	return &metav1.Condition{
		Status: metav1.ConditionFalse, Reason: reason, Message: conditions.ShortenBefore(texts[0], fix),
	}
}
