package desired

import (
	"cmp"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

const (
	// metricsPort is the name of the port that monitoring scrapes.
	metricsPort = "metrics"
	dnsPort     = 53
)

// networkPolicy denies everything but the edges of the call graph, DNS and
// what the specification opens. Ports are those of pods.
func networkPolicy(m *v1alpha1.Microservice) *networkingv1.NetworkPolicy {
	network := v1alpha1.Network{}
	if m.Spec.Network != nil {
		network = *m.Spec.Network.DeepCopy()
	}
	return &networkingv1.NetworkPolicy{
		TypeMeta:   metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "NetworkPolicy"},
		ObjectMeta: objectMeta(m, m.Name),
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: metav1.LabelSelector{MatchLabels: selector(m)},
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress},
			Ingress:     ingress(m, network),
			Egress:      egress(m, network),
		},
	}
}

// ingress admits declared callers to every port, monitoring to the metrics
// ports, and the gateway or those at the edge to the traffic port of an exposed
// service.
func ingress(m *v1alpha1.Microservice, network v1alpha1.Network) []networkingv1.NetworkPolicyIngressRule {
	callers := podPeer(map[string]string{
		LabelPartOf:                 m.Spec.PlatformRef.Name,
		labelCalls + ServiceName(m): "true",
	})
	rules := []networkingv1.NetworkPolicyIngressRule{{
		From: []networkingv1.NetworkPolicyPeer{callers}, Ports: policyPorts(Ports(m)...),
	}}
	scraped, _ := MetricsPort(m)
	for _, p := range Ports(m) {
		if p.Name != metricsPort && (p.Name != scraped || !WantsMetrics(m) && !HasSignals(m)) {
			continue
		}
		from := network.MetricsFrom
		if len(from) == 0 {
			from = []networkingv1.NetworkPolicyPeer{{NamespaceSelector: &metav1.LabelSelector{}}}
		}
		rules = append(rules, networkingv1.NetworkPolicyIngressRule{From: from, Ports: policyPorts(p)})
	}
	if m.Spec.Expose != nil {
		from := network.EdgeFrom
		if Routed(m.Spec.WorkloadSpec) {
			from = fromGateway(m)
		}
		rules = append(rules, networkingv1.NetworkPolicyIngressRule{From: from, Ports: policyPorts(Ports(m)[0])})
	}
	return rules
}

// egress lets pods resolve names, call what they declare and reach what lies
// outside.
func egress(m *v1alpha1.Microservice, network v1alpha1.Network) []networkingv1.NetworkPolicyEgressRule {
	rules := []networkingv1.NetworkPolicyEgressRule{{
		To: network.DNS,
		Ports: []networkingv1.NetworkPolicyPort{
			policyPort(corev1.ProtocolUDP, dnsPort), policyPort(corev1.ProtocolTCP, dnsPort),
		},
	}}
	for _, c := range m.Spec.Calls {
		callee := podPeer(map[string]string{LabelPartOf: m.Spec.PlatformRef.Name, LabelName: c.To})
		rules = append(rules, networkingv1.NetworkPolicyEgressRule{
			To:    []networkingv1.NetworkPolicyPeer{callee},
			Ports: []networkingv1.NetworkPolicyPort{policyPort(corev1.ProtocolTCP, cmp.Or(c.Port, defaultPort))},
		})
	}
	rules = append(rules, toRoutes(m)...)
	for _, e := range network.Egress {
		outside := networkingv1.NetworkPolicyPeer{IPBlock: &networkingv1.IPBlock{CIDR: e.CIDR, Except: e.Except}}
		rule := networkingv1.NetworkPolicyEgressRule{To: []networkingv1.NetworkPolicyPeer{outside}}
		for _, port := range e.Ports {
			rule.Ports = append(rule.Ports, policyPort(corev1.ProtocolTCP, port))
		}
		rules = append(rules, rule)
	}
	return rules
}

// podPeer selects pods of the own namespace.
func podPeer(labels map[string]string) networkingv1.NetworkPolicyPeer {
	return networkingv1.NetworkPolicyPeer{PodSelector: &metav1.LabelSelector{MatchLabels: labels}}
}

func policyPorts(ports ...v1alpha1.Port) []networkingv1.NetworkPolicyPort {
	var all []networkingv1.NetworkPolicyPort
	for _, p := range ports {
		all = append(all, policyPort(corev1.ProtocolTCP, p.Port))
	}
	return all
}

func policyPort(protocol corev1.Protocol, port int32) networkingv1.NetworkPolicyPort {
	return networkingv1.NetworkPolicyPort{Protocol: new(protocol), Port: new(intstr.FromInt32(port))}
}
