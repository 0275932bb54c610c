package desired

import (
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// metricsPort is the name of the port that monitoring scrapes.
const metricsPort = "metrics"

// networkPolicy admits the platform's own pods to every port, monitoring to
// the metrics port, and everybody to the traffic port of an exposed service.
func networkPolicy(m *v1alpha1.Microservice) *networkingv1.NetworkPolicy {
	platform := metav1.LabelSelector{MatchLabels: map[string]string{LabelPartOf: m.Spec.PlatformRef.Name}}
	ingress := []networkingv1.NetworkPolicyIngressRule{{
		From:  []networkingv1.NetworkPolicyPeer{{PodSelector: &platform}},
		Ports: policyPorts(Ports(m)...),
	}}
	for _, p := range Ports(m) {
		if p.Name == metricsPort {
			ingress = append(ingress, networkingv1.NetworkPolicyIngressRule{
				From:  []networkingv1.NetworkPolicyPeer{{NamespaceSelector: &metav1.LabelSelector{}}},
				Ports: policyPorts(p),
			})
		}
	}
	if m.Spec.Expose != nil {
		ingress = append(ingress, networkingv1.NetworkPolicyIngressRule{Ports: policyPorts(Ports(m)[0])})
	}
	return &networkingv1.NetworkPolicy{
		TypeMeta:   metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "NetworkPolicy"},
		ObjectMeta: objectMeta(m, m.Name),
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: metav1.LabelSelector{MatchLabels: selector(m)},
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress},
			Ingress:     ingress,
		},
	}
}

func policyPorts(ports ...v1alpha1.Port) []networkingv1.NetworkPolicyPort {
	var all []networkingv1.NetworkPolicyPort
	for _, p := range ports {
		all = append(all, networkingv1.NetworkPolicyPort{
			Protocol: new(corev1.ProtocolTCP),
			Port:     new(intstr.FromInt32(p.Port)),
		})
	}
	return all
}
