package operator

import (
	"fmt"
	"path/filepath"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
)

// answerRoute writes what a Gateway controller says about a route of one parent.
func (w *world) answerRoute(name string, all ...metav1.Condition) {
	w.Helper()
	w.eventually(func() error {
		route := get(w, name, optionalObject(desired.HTTPRouteKind))
		parents, _, err := unstructured.NestedSlice(route.Object, "spec", "parentRefs")
		if err != nil {
			return err
		}
		var conditions []any
		for _, c := range all {
			c.ObservedGeneration, c.LastTransitionTime = route.GetGeneration(), metav1.Now()
			content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&c)
			if err != nil {
				return err
			}
			conditions = append(conditions, content)
		}
		parent := map[string]any{"parentRef": parents[0], "controllerName": "gateway.test/controller", "conditions": conditions}
		if err := unstructured.SetNestedSlice(route.Object, []any{parent}, "status", "parents"); err != nil {
			return err
		}
		return w.client.Status().Update(w.Context(), route)
	})
}

func condition(kind string, status metav1.ConditionStatus, reason, message string) metav1.Condition {
	return metav1.Condition{Type: kind, Status: status, Reason: reason, Message: message}
}

// acceptRoute says that all is well.
func (w *world) acceptRoute(name string) {
	w.Helper()
	w.answerRoute(name, condition("Accepted", metav1.ConditionTrue, "Accepted", ""), condition("ResolvedRefs", metav1.ConditionTrue, "ResolvedRefs", ""))
}

// routed waits for RouteReady of a platform.
func (w *world) routed(p *v1alpha1.StreamingPlatform, status metav1.ConditionStatus, reason, message string) {
	w.Helper()
	w.eventually(func() error {
		get(w, p.Name, p)
		c := apimeta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionRouteReady)
		if c == nil || c.Status != status || c.Reason != reason || c.Message != message {
			return fmt.Errorf("want %s, reason %s, message %q, got %v", status, reason, message, c)
		}
		return nil
	})
}

func TestRoutesOfAPlatform(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	p := w.platform(`{edge: {parentRefs: [{name: public, namespace: infra}], hostnames: [tv.example.com]}}`)
	w.ready(p)
	route := appears(w, "acme-gateway", optionalObject(desired.HTTPRouteKind))
	checkMade(t, route, get(w, "acme-gateway", &v1alpha1.Microservice{}), "acme-gateway")
	w.routed(p, metav1.ConditionUnknown, v1alpha1.ReasonRoutePending,
		"gateway: no controller has taken up the HTTPRoute for Gateway infra/public yet")
	o.settle()
	o.idle()

	t.Log("The words of the Gateway's controller are shown, and keep nothing from being ready.")
	w.acceptRoute("acme-gateway")
	w.routed(p, metav1.ConditionTrue, v1alpha1.ReasonRouteAccepted, "gateway: accepted by Gateway infra/public")
	w.answerRoute("acme-gateway", condition("Accepted", metav1.ConditionTrue, "Accepted", ""),
		condition("ResolvedRefs", metav1.ConditionFalse, "BackendNotFound", "no such Service"))
	w.routed(p, metav1.ConditionFalse, "BackendNotFound", "gateway: Gateway infra/public: no such Service")
	w.ready(p)
	o.settle()
	o.idle()

	t.Log("An answer to the route before does not count.")
	w.acceptRoute("acme-gateway")
	w.routed(p, metav1.ConditionTrue, v1alpha1.ReasonRouteAccepted, "gateway: accepted by Gateway infra/public")
	change(w, p, func(p *v1alpha1.StreamingPlatform) { p.Spec.Edge.Hostnames = []v1alpha1.Hostname{"www.example.com"} })
	w.routed(p, metav1.ConditionUnknown, v1alpha1.ReasonRoutePending,
		"gateway: no controller has taken up the HTTPRoute for Gateway infra/public yet")

	t.Log("Without an edge the route goes.")
	change(w, p, func(p *v1alpha1.StreamingPlatform) { p.Spec.Edge = nil })
	w.ready(p)
	w.eventually(func() error {
		get(w, "acme", p)
		if c := apimeta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionRouteReady); c != nil {
			return fmt.Errorf("still there: %v", c)
		}
		return nil
	})
	o.settle()
	o.idle()
}

func TestRoutesOfServices(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	m := w.microservice("search", `{platformRef: {name: acme}, image: "registry.test/search:1", expose: {mode: Direct, hostnames: [search.example.com]}}`)
	w.ready(m)
	w.tells(m, v1alpha1.ConditionRouteReady, metav1.ConditionFalse, v1alpha1.ReasonNoParent, "parentRefs")

	t.Log("A service of an Ingress alone.")
	change(w, m, func(m *v1alpha1.Microservice) { m.Spec.Expose.Ingress = &v1alpha1.Ingress{} })
	w.tells(m, v1alpha1.ConditionRouteReady, metav1.ConditionUnknown, v1alpha1.ReasonRoutePending, "no address yet")
	w.addressIngress("search")
	w.tells(m, v1alpha1.ConditionRouteReady, metav1.ConditionTrue, v1alpha1.ReasonIngressReady, "192.0.2.7")
	o.settle()
	o.idle()

	t.Log("One that is exposed without a route has none.")
	change(w, m, func(m *v1alpha1.Microservice) { m.Spec.Expose = &v1alpha1.Expose{Mode: v1alpha1.ExposeDirect} })
	w.tells(m, v1alpha1.ConditionRouteReady, "", "", "")
	w.goes(&networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "search"}})
	o.settle()
	o.idle()
}

// addressIngress gives an Ingress an address, as its controller does.
func (w *world) addressIngress(name string) {
	w.Helper()
	ingress := appears(w, name, &networkingv1.Ingress{})
	ingress.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{{IP: "192.0.2.7"}}
	if err := w.client.Status().Update(w.Context(), ingress); err != nil {
		w.Fatal(err)
	}
}

// With a half installed Gateway API an Ingress serves, until a Gateway has
// accepted the route.
func TestIngressUntilTheRouteIsAccepted(t *testing.T) {
	cases := map[string]func(w *world){
		"only other kinds of the group": func(w *world) {
			found := envtest.CRDInstallOptions{Paths: []string{
				filepath.Join(filepath.Dir(plane.crds["HTTPRoute"]), "gateway.networking.k8s.io_gatewayclasses.yaml"),
			}}
			if err := envtest.ReadCRDFiles(&found); err != nil {
				w.Fatal(err)
			}
			w.install(found.CRDs...)
			w.Cleanup(func() {
				if err := envtest.UninstallCRDs(plane.admin, found); err != nil {
					w.Error(err)
				}
			})
		},
		"only another version of the kind": func(w *world) {
			old := w.crd("HTTPRoute")
			for i := range old.Spec.Versions {
				old.Spec.Versions[i].Served = old.Spec.Versions[i].Name != "v1"
			}
			w.install(old)
		},
	}
	for name, half := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.uninstall("HTTPRoute")
			half(w)
			w.fallBack()
		})
	}
}

func (w *world) fallBack() {
	w.Helper()
	o := w.startLooking()
	w.playControllers()
	m := w.microservice("search", `{platformRef: {name: acme}, image: "registry.test/search:1",
		expose: {mode: Direct, parentRefs: [{name: public}], hostnames: [search.example.com], ingress: {className: nginx}}}`)
	w.ready(m)
	w.addressIngress("search")
	w.tells(m, v1alpha1.ConditionRouteReady, metav1.ConditionTrue, v1alpha1.ReasonIngressReady,
		"the Ingress serves at 192.0.2.7, until the HTTPRoute is accepted: the cluster does not serve HTTPRoute of gateway.networking.k8s.io/v1: install the Gateway API")
	since := w.readySince(m)
	o.settle()
	o.idle()

	w.Log("The kind comes: the Ingress stays until the route is accepted.")
	w.install(w.crd("HTTPRoute"))
	appears(w, "search", optionalObject(desired.HTTPRouteKind))
	w.tells(m, v1alpha1.ConditionRouteReady, metav1.ConditionTrue, v1alpha1.ReasonIngressReady, "no controller has taken up the HTTPRoute")
	o.settle()
	o.idle()
	w.acceptRoute("search")
	w.tells(m, v1alpha1.ConditionRouteReady, metav1.ConditionTrue, v1alpha1.ReasonRouteAccepted, "accepted by Gateway public")
	w.goes(&networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "search"}})
	o.settle()
	o.idle()

	w.Log("It goes: the Ingress is back.")
	w.withdraw(w.crd("HTTPRoute"))
	w.addressIngress("search")
	w.tells(m, v1alpha1.ConditionRouteReady, metav1.ConditionTrue, v1alpha1.ReasonIngressReady, "install the Gateway API")
	if again := w.readySince(m); !again.Equal(&since) {
		w.Errorf("Ready turned at %s", again)
	}
	o.settle()
	o.idle()
	o.stop()
}
