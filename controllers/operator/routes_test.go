package operator

import (
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// Services come into the gateway's routes and leave them, and the gateway's
// pods stay as they are.
func TestRoutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	p := w.platform("{}")
	w.ready(p)
	gateway := get(w, "acme-gateway-blue", &appsv1.Deployment{}).Generation

	change(w, p, func(p *v1alpha1.StreamingPlatform) {
		search := v1alpha1.PlatformService{Name: "search"}
		search.Image, search.Expose = "registry.test/search:1", &v1alpha1.Expose{Timeout: "3s"}
		p.Spec.Services = append(p.Spec.Services, search)
	})
	w.routes(`{"service":"search","path":"/search","url":"http://acme-search-headless.` + w.namespace + `.svc:8080","timeout":"3s"}`)
	team := w.microservice("reviews", `{platformRef: {name: acme}, image: "registry.test/reviews:1", ports: [{name: http, port: 7000}],
		expose: {paths: [/search, /reviews]}}`)
	w.routes(`"path":"/search"`, `{"service":"reviews","path":"/reviews","url":"http://reviews-headless.`+w.namespace+`.svc:7000"}`)
	w.says(p, v1alpha1.ConditionRoutesAccepted,
		"Microservice reviews: spec.expose.paths: /search belongs to search: choose another")
	w.ready(p)
	o.settle()
	o.idle()

	change(w, p, func(p *v1alpha1.StreamingPlatform) { p.Spec.Services = nil })
	w.says(p, v1alpha1.ConditionRoutesAccepted, "")
	w.routes(`"service":"reviews","path":"/search"`, `"service":"reviews","path":"/reviews"`)
	w.remove(team)
	w.eventually(func() error {
		err := w.client.Get(w.Context(), client.ObjectKey{Namespace: w.namespace, Name: "acme-gateway-routes"}, &corev1.ConfigMap{})
		if err == nil {
			return fmt.Errorf("the routes are still there")
		}
		return client.IgnoreNotFound(err)
	})
	if now := get(w, "acme-gateway-blue", &appsv1.Deployment{}).Generation; now != gateway {
		t.Error("the gateway's Deployment changed")
	}

	for name, tc := range map[string]struct{ spec, message string }{
		"reserved":       {`{services: [{name: a, expose: {paths: [/api/a]}}]}`, "/api, /v and /assets belong to the gateway"},
		"root":           {`{services: [{name: a, expose: {paths: [/]}}]}`, "spec.services[0].expose.paths[0]"},
		"dots":           {`{services: [{name: a, expose: {paths: [/a/../v]}}]}`, "spec.services[0].expose.paths[0]"},
		"direct timeout": {`{services: [{name: a, expose: {mode: Direct, timeout: 1s}}]}`, "timeout is for mode Gateway"},
		"hostnames through the gateway": {
			`{services: [{name: a, expose: {hostnames: [a.example.com]}}]}`, "parentRefs, hostnames, ingress and timeouts are for mode Direct",
		},
		"too patient": {`{services: [{name: a, expose: {timeout: 301s}}]}`, "spec.services[0].expose.timeout"},
	} {
		if err := w.send("StreamingPlatform", "wrong", tc.spec); err == nil || !strings.Contains(err.Error(), tc.message) {
			t.Errorf("%s: %v, want %q", name, err, tc.message)
		}
	}
}

// routes waits until the gateway's file has these parts in its lines, in order.
func (w *world) routes(parts ...string) {
	w.Helper()
	w.eventually(func() error {
		all := &corev1.ConfigMap{}
		err := w.client.Get(w.Context(), client.ObjectKey{Namespace: w.namespace, Name: "acme-gateway-routes"}, all)
		if err != nil {
			return err
		}
		lines := strings.Split(strings.TrimSpace(all.Data["routes.json"]), "\n")
		if len(lines) != len(parts)+2 {
			return fmt.Errorf("%q, want %d routes", lines, len(parts))
		}
		for i, part := range parts {
			if !strings.Contains(lines[i+1], part) {
				return fmt.Errorf("%q, want %s", lines[i+1], part)
			}
		}
		return nil
	})
}
