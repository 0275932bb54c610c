package desired

import (
	"cmp"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// HTTPRouteKind is served where the Gateway API is installed.
var HTTPRouteKind = schema.GroupVersionKind{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "HTTPRoute"}

// IngressKind is served everywhere.
var IngressKind = networkingv1.SchemeGroupVersion.WithKind("Ingress")

// WantsRoute says whether a Microservice asks for a route from outside.
func WantsRoute(m *v1alpha1.Microservice) bool {
	return AsksForRoute(m.Spec.Expose)
}

// AsksForRoute says whether more is asked for than an open port.
func AsksForRoute(e *v1alpha1.Expose) bool {
	return e != nil && e.Mode == v1alpha1.ExposeDirect &&
		(len(e.ParentRefs) > 0 || e.Ingress != nil || len(e.Hostnames) > 0 || len(e.Paths) > 0 || e.Timeouts != nil)
}

// HasHTTPRoute says whether an HTTPRoute is wanted, where the cluster serves it.
func HasHTTPRoute(m *v1alpha1.Microservice) bool {
	return WantsRoute(m) && len(m.Spec.Expose.ParentRefs) > 0
}

func wantsIngress(m *v1alpha1.Microservice) bool {
	return m.Spec.Expose != nil && m.Spec.Expose.Ingress != nil
}

// Fallback is the Ingress that is there until the HTTPRoute is accepted, or nil.
func Fallback(m *v1alpha1.Microservice) *networkingv1.Ingress {
	if !HasHTTPRoute(m) || !wantsIngress(m) {
		return nil
	}
	return ingressObject(m)
}

// httpRoute routes hosts and paths to the Service of a Microservice.
func httpRoute(m *v1alpha1.Microservice) *unstructured.Unstructured {
	e := m.Spec.Expose
	var matches []any
	for _, path := range paths(e) {
		matches = append(matches, map[string]any{"path": map[string]any{"type": "PathPrefix", "value": path}})
	}
	rule := map[string]any{
		"matches":     matches,
		"backendRefs": []any{map[string]any{"name": m.Name, "port": int64(trafficPort(m))}},
	}
	if t := e.Timeouts; t != nil {
		rule["timeouts"] = present(map[string]string{"request": t.Request, "backendRequest": t.BackendRequest})
	}
	var parents []any
	for _, p := range e.ParentRefs {
		parents = append(parents, present(map[string]string{"name": p.Name, "namespace": p.Namespace, "sectionName": p.SectionName}))
	}
	spec := map[string]any{"parentRefs": parents, "rules": []any{rule}}
	if len(e.Hostnames) > 0 {
		var names []any
		for _, name := range e.Hostnames {
			names = append(names, string(name))
		}
		spec["hostnames"] = names
	}
	return optionalObject(m, HTTPRouteKind, m.Name, spec)
}

// present leaves out empty values.
func present(all map[string]string) map[string]any {
	kept := map[string]any{}
	for key, value := range all {
		if value != "" {
			kept[key] = value
		}
	}
	return kept
}

func paths(e *v1alpha1.Expose) []string {
	if len(e.Paths) == 0 {
		return []string{"/"}
	}
	var all []string
	for _, path := range e.Paths {
		all = append(all, string(path))
	}
	return all
}

// trafficPort is where the Service takes the traffic.
func trafficPort(m *v1alpha1.Microservice) int32 {
	first := Ports(m)[0]
	return cmp.Or(first.ServicePort, first.Port)
}

// ingressObject routes the same by an Ingress.
func ingressObject(m *v1alpha1.Microservice) *networkingv1.Ingress {
	e := m.Spec.Expose
	i := &networkingv1.Ingress{
		TypeMeta:   metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "Ingress"},
		ObjectMeta: objectMeta(m, m.Name),
	}
	for key, value := range e.Ingress.Annotations {
		metav1.SetMetaDataAnnotation(&i.ObjectMeta, key, string(value))
	}
	if e.Ingress.ClassName != "" {
		i.Spec.IngressClassName = new(e.Ingress.ClassName)
	}
	var hosts []string
	for _, name := range e.Hostnames {
		hosts = append(hosts, string(name))
		i.Spec.Rules = append(i.Spec.Rules, ingressRule(m, string(name)))
	}
	if len(hosts) == 0 {
		i.Spec.Rules = []networkingv1.IngressRule{ingressRule(m, "")}
	}
	if e.Ingress.TLSSecretName != "" {
		i.Spec.TLS = []networkingv1.IngressTLS{{Hosts: hosts, SecretName: e.Ingress.TLSSecretName}}
	}
	return i
}

func ingressRule(m *v1alpha1.Microservice, host string) networkingv1.IngressRule {
	http := &networkingv1.HTTPIngressRuleValue{}
	for _, path := range paths(m.Spec.Expose) {
		http.Paths = append(http.Paths, networkingv1.HTTPIngressPath{
			Path: path, PathType: new(networkingv1.PathTypePrefix),
			Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
				Name: m.Name, Port: networkingv1.ServiceBackendPort{Name: Ports(m)[0].Name},
			}},
		})
	}
	return networkingv1.IngressRule{Host: host, IngressRuleValue: networkingv1.IngressRuleValue{HTTP: http}}
}
