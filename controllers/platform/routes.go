package platform

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/apply"
	"github.com/streamplane/streamplane/controllers/platform/desired"
)

// routesManager owns the routes of a gateway that was handed over, and no other
// field: what its team writes stays the team's, also a route.
const routesManager = "streamplane-routes"

// giveRoutes gives a gateway that was handed over its routes. It returns what
// its team has set otherwise, for people.
func giveRoutes(ctx context.Context, c client.Client, r desired.Routing) (string, error) {
	if r.Gateway == nil || !r.Gateway.DeletionTimestamp.IsZero() || hasRoutes(r.Gateway, r.Routes) {
		return "", nil
	}
	intent, err := routesIntent(r)
	if err != nil {
		return "", err
	}
	err = c.Apply(ctx, client.ApplyConfigurationFromUnstructured(intent), client.FieldOwner(routesManager))
	switch {
	case apierrors.IsConflict(err):
		return fmt.Sprintf("Microservice %s: spec.routes: the platform fills these in: remove what was set by others (%v)", r.Gateway.Name, err), nil
	case err != nil:
		return "", fmt.Errorf("give routes to microservice %s: %w", r.Gateway.Name, err)
	}
	apply.Count("Microservice", apply.Changed)
	return "", nil
}

func routesIntent(r desired.Routing) (*unstructured.Unstructured, error) {
	spec := map[string]any{}
	var routes []any
	for i := range r.Routes {
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&r.Routes[i])
		if err != nil {
			return nil, fmt.Errorf("convert route: %w", err)
		}
		routes = append(routes, content)
	}
	if len(routes) > 0 {
		spec["routes"] = routes
	}
	intent := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	intent.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("Microservice"))
	intent.SetName(r.Gateway.Name)
	intent.SetNamespace(r.Gateway.Namespace)
	intent.SetUID(r.Gateway.UID)
	return intent, nil
}

// hasRoutes says whether a gateway has the wanted routes, and none that the
// platform gave it and no longer wants.
func hasRoutes(m *v1alpha1.Microservice, wanted []v1alpha1.Route) bool {
	given := map[string]bool{}
	for _, e := range m.ManagedFields {
		for path := range routeFields(e) {
			given[path] = given[path] || e.Manager == routesManager
		}
	}
	for _, route := range wanted {
		if key := routeKey(route); !given[key] || !slices.Contains(m.Spec.Routes, route) {
			return false
		}
		delete(given, routeKey(route))
	}
	for _, ours := range given {
		if ours {
			return false
		}
	}
	return true
}

// routeFields are the routes that a manager owns, by their keys.
func routeFields(e metav1.ManagedFieldsEntry) map[string]json.RawMessage {
	var fields struct {
		Spec struct {
			Routes map[string]json.RawMessage `json:"f:routes"`
		} `json:"f:spec"`
	}
	if e.FieldsV1 == nil || json.Unmarshal(e.FieldsV1.GetRawBytes(), &fields) != nil {
		return nil
	}
	for key := range fields.Spec.Routes {
		if !strings.HasPrefix(key, "k:") {
			delete(fields.Spec.Routes, key)
		}
	}
	return fields.Spec.Routes
}

func routeKey(r v1alpha1.Route) string {
	key, _ := json.Marshal(map[string]string{"path": string(r.Path)}) // a string
	return "k:" + string(key)
}

// leftRoutes is the ownership of the routes that a gateway keeps from the
// platform when it is handed over.
func leftRoutes(m *v1alpha1.Microservice) []metav1.ManagedFieldsEntry {
	for _, e := range m.ManagedFields {
		if routes := routeFields(e); isOurs(e) && len(routes) > 0 {
			e.Manager = routesManager
			e.FieldsV1 = encoded(map[string]any{"f:spec": map[string]any{"f:routes": routes}})
			return []metav1.ManagedFieldsEntry{e}
		}
	}
	return nil
}
