package main

import (
	"cmp"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// state is what the API server says.
type state struct {
	pods       []*corev1.Pod
	namespaces []*corev1.Namespace
	policies   []*networkingv1.NetworkPolicy
}

// filter says what the isolated pods of one node may receive and send. A pod
// that a map does not hold is not isolated in that direction.
type filter struct {
	ingress, egress map[netip.Addr][]rule
}

// rule lets some connections of an isolated pod through.
type rule struct {
	// policy that it comes from, for people.
	policy string
	// anyPeer lets it match whoever is at the other end; otherwise only peers.
	anyPeer bool
	peers   spans
	// anyPort lets it match every protocol and port; otherwise only ports and
	// endpoints.
	anyPort bool
	ports   []ports
	// endpoints are what named ports stand for: each pod has its own.
	endpoints []endpoint
}

// ports is a range of ports of one protocol.
type ports struct {
	protocol    corev1.Protocol
	first, last uint16
}

// endpoint is one port of one pod.
type endpoint struct {
	address  netip.Addr
	protocol corev1.Protocol
	port     uint16
}

// world is a state made easy to ask.
type world struct {
	pods       []pod
	namespaces map[string]labels.Set
}

// pod is a pod with an address of its own.
type pod struct {
	*corev1.Pod
	address netip.Addr
}

// compute is the whole meaning of NetworkPolicy for the pods of a node.
func compute(s state, node string) filter {
	w := newWorld(s)
	f := filter{ingress: map[netip.Addr][]rule{}, egress: map[netip.Addr][]rule{}}
	policies := slices.SortedFunc(slices.Values(s.policies), func(a, b *networkingv1.NetworkPolicy) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	for _, policy := range policies {
		isolated := w.matching(policy.Namespace, networkingv1.NetworkPolicyPeer{PodSelector: &policy.Spec.PodSelector})
		ingress, egress := w.ingress(policy, isolated), w.egress(policy)
		for _, p := range isolated {
			if p.Spec.NodeName != node {
				continue
			}
			if isolates(policy, networkingv1.PolicyTypeIngress) {
				f.ingress[p.address] = append(f.ingress[p.address], ingress...)
			}
			if isolates(policy, networkingv1.PolicyTypeEgress) {
				f.egress[p.address] = append(f.egress[p.address], egress...)
			}
		}
	}
	return f
}

// newWorld leaves out pods that have no network of their own: those of the
// node's network, and those that have ended and whose address may be another's.
func newWorld(s state) world {
	w := world{namespaces: map[string]labels.Set{}}
	for _, n := range s.namespaces {
		w.namespaces[n.Name] = n.Labels
	}
	for _, p := range s.pods {
		ended := p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
		address, err := netip.ParseAddr(p.Status.PodIP)
		if err == nil && address.Is4() && !ended && !p.Spec.HostNetwork {
			w.pods = append(w.pods, pod{Pod: p, address: address})
		}
	}
	slices.SortFunc(w.pods, func(a, b pod) int { return a.address.Compare(b.address) })
	return w
}

func isolates(policy *networkingv1.NetworkPolicy, direction networkingv1.PolicyType) bool {
	if len(policy.Spec.PolicyTypes) > 0 {
		return slices.Contains(policy.Spec.PolicyTypes, direction)
	}
	return direction == networkingv1.PolicyTypeIngress || len(policy.Spec.Egress) > 0
}

func (w world) ingress(policy *networkingv1.NetworkPolicy, isolated []pod) []rule {
	var rules []rule
	for _, in := range policy.Spec.Ingress {
		rules = append(rules, w.rule(policy, in.From, in.Ports, isolated))
	}
	return rules
}

func (w world) egress(policy *networkingv1.NetworkPolicy) []rule {
	var rules []rule
	for _, out := range policy.Spec.Egress {
		targets := w.pods
		if len(out.To) > 0 {
			targets = nil
			for _, peer := range out.To {
				targets = append(targets, w.matching(policy.Namespace, peer)...)
			}
		}
		rules = append(rules, w.rule(policy, out.To, out.Ports, targets))
	}
	return rules
}

// rule joins peers and ports; targets are the pods that named ports belong to.
func (w world) rule(
	policy *networkingv1.NetworkPolicy, peers []networkingv1.NetworkPolicyPeer, wanted []networkingv1.NetworkPolicyPort, targets []pod,
) rule {
	r := rule{policy: policy.Namespace + "/" + policy.Name, anyPeer: len(peers) == 0, anyPort: len(wanted) == 0}
	var all []span
	for _, peer := range peers {
		if peer.IPBlock != nil {
			all = append(all, block(*peer.IPBlock)...)
			continue
		}
		for _, p := range w.matching(policy.Namespace, peer) {
			all = append(all, span{number(p.address), number(p.address)})
		}
	}
	r.peers = join(all)
	for _, port := range wanted {
		if port.Port != nil && port.Port.Type == intstr.String {
			r.endpoints = append(r.endpoints, named(port, targets)...)
		} else {
			r.ports = append(r.ports, numbered(port))
		}
	}
	return r
}

// matching lists the pods that a peer of a policy in that namespace selects.
func (w world) matching(namespace string, peer networkingv1.NetworkPolicyPeer) []pod {
	if peer.IPBlock != nil {
		return nil
	}
	var found []pod
	for _, p := range w.pods {
		home := p.Namespace == namespace
		if peer.NamespaceSelector != nil {
			home = selects(peer.NamespaceSelector, w.namespaces[p.Namespace])
		}
		if home && (peer.PodSelector == nil || selects(peer.PodSelector, p.Labels)) {
			found = append(found, p)
		}
	}
	return found
}

func selects(selector *metav1.LabelSelector, set labels.Set) bool {
	s, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && s.Matches(set)
}

// block is an ipBlock without what it excepts; the cluster has IPv4 only.
func block(b networkingv1.IPBlock) spans {
	prefix, err := netip.ParsePrefix(b.CIDR)
	if err != nil || !prefix.Addr().Is4() {
		return nil
	}
	all := spans{spanOf(prefix)}
	for _, text := range b.Except {
		if except, err := netip.ParsePrefix(text); err == nil && except.Addr().Is4() {
			all = all.without(spanOf(except))
		}
	}
	return all
}

func protocol(port networkingv1.NetworkPolicyPort) corev1.Protocol {
	if port.Protocol == nil {
		return corev1.ProtocolTCP
	}
	return *port.Protocol
}

func numbered(port networkingv1.NetworkPolicyPort) ports {
	p := ports{protocol: protocol(port), last: 65535}
	if port.Port != nil {
		p.first = uint16(port.Port.IntVal)
		p.last = p.first
	}
	if port.EndPort != nil {
		p.last = uint16(*port.EndPort)
	}
	return p
}

func named(port networkingv1.NetworkPolicyPort, targets []pod) []endpoint {
	var found []endpoint
	for _, p := range targets {
		for _, c := range slices.Concat(p.Spec.Containers, p.Spec.InitContainers) {
			for _, offered := range c.Ports {
				if offered.Name == port.Port.StrVal && cmp.Or(offered.Protocol, corev1.ProtocolTCP) == protocol(port) {
					found = append(found, endpoint{p.address, protocol(port), uint16(offered.ContainerPort)})
				}
			}
		}
	}
	return found
}
