package platform

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/conditions"
	"github.com/streamplane/streamplane/controllers/platform/desired"
)

// platformIndex is the cache index of Microservices by their platform.
const platformIndex = "spec.platformRef.name"

func platformOf(o client.Object) []string {
	m, ok := o.(*v1alpha1.Microservice)
	if !ok {
		return nil
	}
	return []string{m.Spec.PlatformRef.Name}
}

// joined asks for the platform that a team's Microservice belongs to; those of
// the platform itself are watched as its own.
func joined(_ context.Context, o client.Object) []reconcile.Request {
	if metav1.GetControllerOf(o) != nil {
		return nil
	}
	var all []reconcile.Request
	for _, name := range platformOf(o) {
		all = append(all, reconcile.Request{NamespacedName: types.NamespacedName{Namespace: o.GetNamespace(), Name: name}})
	}
	return all
}

// teams lists the Microservices that others wrote for a platform, by name.
func teams(ctx context.Context, c client.Reader, p *v1alpha1.StreamingPlatform) ([]v1alpha1.Microservice, error) {
	list := &v1alpha1.MicroserviceList{}
	err := c.List(ctx, list, client.InNamespace(p.Namespace), client.MatchingFields{platformIndex: p.Name})
	if err != nil {
		return nil, fmt.Errorf("list microservices of teams: %w", err)
	}
	found := slices.DeleteFunc(list.Items, func(m v1alpha1.Microservice) bool { return metav1.GetControllerOf(&m) != nil })
	slices.SortFunc(found, func(a, b v1alpha1.Microservice) int { return strings.Compare(a.Name, b.Name) })
	return found, nil
}

// setCallGraph adds the conditions about calls; each is there only while
// there is something to say.
func setCallGraph(all *[]metav1.Condition, generation int64, g desired.CallGraph) {
	set := func(kind string, status metav1.ConditionStatus, reason, message string) {
		if message == "" {
			apimeta.RemoveStatusCondition(all, kind)
			return
		}
		apimeta.SetStatusCondition(all, metav1.Condition{
			Type: kind, Status: status, ObservedGeneration: generation, Reason: reason, Message: conditions.Shorten(message),
		})
	}
	set(v1alpha1.ConditionCallsResolved, metav1.ConditionFalse, v1alpha1.ReasonUnknownCallee, g.UnknownMessage())
	set(v1alpha1.ConditionCallGraphCyclic, metav1.ConditionTrue, v1alpha1.ReasonCycle, g.CycleMessage())
}
