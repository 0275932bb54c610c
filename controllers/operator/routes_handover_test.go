package operator

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/platform"
)

// A gateway that its team writes goes on to serve what comes and goes, and its
// team's own routes stay.
func TestAGatewayThatIsHandedOverGetsItsRoutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	p := w.platform(`{services: [{name: gateway}, {name: search, image: "registry.test/search:1", expose: {}}]}`)
	w.ready(p)
	w.routes(`"path":"/search"`)
	o.settle()
	m, pods := get(w, "acme-gateway", &v1alpha1.Microservice{}), get(w, "acme-gateway-blue", &appsv1.Deployment{}).Generation
	generation, content := m.Generation, get(w, "acme-gateway-routes", &corev1.ConfigMap{}).ResourceVersion
	change(w, p, managedBy(v1alpha1.ManagedByTeam))
	w.writtenBy(m, nil)
	w.ready(p)
	o.settle()
	o.idle()
	if diff := cmp.Diff([]string{"streamplane-routes"}, owners(get(w, m.Name, m))); diff != "" || m.Generation != generation {
		t.Errorf("generation %d, was %d, owners of fields: %s", m.Generation, generation, diff)
	}
	if now := get(w, "acme-gateway-routes", &corev1.ConfigMap{}).ResourceVersion; now != content {
		t.Error("the routes were written")
	}

	t.Log("A service comes, one goes.")
	expose := func(names ...string) {
		t.Helper()
		change(w, p, func(p *v1alpha1.StreamingPlatform) {
			p.Spec.Services = p.Spec.Services[:1]
			for _, name := range names {
				s := v1alpha1.PlatformService{Name: name}
				s.Image, s.Expose = "registry.test/"+name+":1", &v1alpha1.Expose{}
				p.Spec.Services = append(p.Spec.Services, s)
			}
		})
	}
	expose("search", "shop")
	w.routes(`"path":"/search"`, `"path":"/shop"`)
	expose("shop")
	w.routes(`"path":"/shop"`)
	w.says(p, v1alpha1.ConditionRoutesAccepted, "")
	w.ready(p)
	o.settle()
	o.idle()

	t.Log("A route of the team stays, and is told when it is in the way.")
	by(w, "kubectl-edit", m, func(m *v1alpha1.Microservice) {
		m.Spec.Routes = append(m.Spec.Routes, v1alpha1.Route{Path: "/news", Service: "press", Microservice: "press", Port: 9000})
	})
	w.routes(`"path":"/shop"`, `"path":"/news"`)
	expose("shop", "news")
	w.eventually(func() error {
		return w.isFalse(p, v1alpha1.ConditionRoutesAccepted, "Microservice acme-gateway: spec.routes: the platform fills these in")
	})
	expose("shop")
	w.says(p, v1alpha1.ConditionRoutesAccepted, "")
	w.routes(`"path":"/shop"`, `"path":"/news"`)
	o.settle()
	o.idle()

	t.Log("Without the annotation its team writes the routes.")
	change(w, m, func(m *v1alpha1.Microservice) { delete(m.Annotations, platform.AnnotationHandedOver) })
	expose("shop", "films")
	w.says(p, v1alpha1.ConditionRoutesAccepted, "Microservice acme-gateway: spec.routes: /films of films is missing: its team adds it, "+
		"or the annotation streamplane.dev/handed-over-by: acme, with which the platform fills the routes in")
	change(w, m, func(m *v1alpha1.Microservice) {
		m.Annotations = map[string]string{platform.AnnotationHandedOver: "acme"}
	})
	w.says(p, v1alpha1.ConditionRoutesAccepted, "")

	t.Log("Back: the platform's routes, and no others.")
	change(w, p, managedBy(""))
	w.writtenBy(m, p)
	w.routes(`"path":"/shop"`, `"path":"/films"`)
	w.ready(p)
	o.settle()
	o.idle()
	if now := get(w, "acme-gateway-blue", &appsv1.Deployment{}).Generation; now != pods {
		t.Error("the gateway's Deployment changed")
	}
	if got := strings.Join(owners(get(w, m.Name, m)), " "); got != "streamplane" {
		t.Errorf("owners of fields: %s", got)
	}
}
