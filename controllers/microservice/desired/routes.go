package desired

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// RoutesFile is the key of the ConfigMap, and the name of its file in pods.
const RoutesFile = "routes.json"

// RoutesName is the ConfigMap with the routes of a gateway. It keeps its name
// when they change, because pods follow its content.
func RoutesName(microservice string) string { return Name(microservice, "routes") }

// GatewayName is the service that the paths of exposed services go through.
const GatewayName = "gateway"

// Routed says whether a service wants paths of the gateway.
func Routed(spec v1alpha1.WorkloadSpec) bool {
	return spec.Expose != nil && cmp.Or(spec.Expose.Mode, v1alpha1.ExposeGateway) == v1alpha1.ExposeGateway
}

func routes(m *v1alpha1.Microservice) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: objectMeta(m, RoutesName(m.Name)),
		Data:       map[string]string{RoutesFile: routesContent(m)},
	}
}

// routesContent has one route in each line, for people who compare two versions.
func routesContent(m *v1alpha1.Microservice) string {
	type line struct {
		Service string `json:"service"`
		Path    string `json:"path"`
		URL     string `json:"url"`
		Timeout string `json:"timeout,omitempty"`
	}
	var out bytes.Buffer
	for i, r := range m.Spec.Routes {
		text, err := json.Marshal(line{
			Service: r.Service, Path: string(r.Path), Timeout: r.Timeout,
			URL: fmt.Sprintf("http://%s.%s.svc:%d", HeadlessName(r.Microservice), m.Namespace, r.Port),
		})
		if err != nil {
			panic(err) // four strings always encode
		}
		out.WriteString([]string{"\n", ",\n"}[min(i, 1)])
		out.Write(text)
	}
	return `{"routes":[` + out.String() + "\n]}\n"
}

// fromGateway admits the gateway of the platform.
func fromGateway(m *v1alpha1.Microservice) []networkingv1.NetworkPolicyPeer {
	return []networkingv1.NetworkPolicyPeer{podPeer(map[string]string{
		LabelPartOf: m.Spec.PlatformRef.Name, LabelName: GatewayName,
	})}
}

// toRoutes lets a gateway connect to what it has routes to.
func toRoutes(m *v1alpha1.Microservice) []networkingv1.NetworkPolicyEgressRule {
	var rules []networkingv1.NetworkPolicyEgressRule
	done := map[string]bool{}
	for _, r := range m.Spec.Routes {
		if key := fmt.Sprint(r.Service, r.Port); !done[key] {
			done[key] = true
			rules = append(rules, networkingv1.NetworkPolicyEgressRule{
				To: []networkingv1.NetworkPolicyPeer{podPeer(map[string]string{
					LabelPartOf: m.Spec.PlatformRef.Name, LabelName: r.Service,
				})},
				Ports: []networkingv1.NetworkPolicyPort{policyPort(corev1.ProtocolTCP, r.Port)},
			})
		}
	}
	return rules
}
