package main

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// addresses of the pods, and of somebody who is none.
var addresses = map[string]string{
	"web": "10.1.0.1", "api": "10.1.0.2", "db": "10.1.0.3", "probe": "10.1.1.1",
	"node": "10.0.0.11", "ended": "10.1.0.9", "remote": "10.2.0.1", "outside": "192.0.2.7",
}

func somePod(namespace, name string, change ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app": name}},
		Spec:       corev1.PodSpec{NodeName: "here", Containers: []corev1.Container{{Name: "app"}}},
		Status:     corev1.PodStatus{Phase: corev1.PodRunning, PodIP: addresses[name]},
	}
	for _, c := range change {
		c(p)
	}
	return p
}

func offers(name string, port int32) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.Containers[0].Ports = append(p.Spec.Containers[0].Ports, corev1.ContainerPort{Name: name, ContainerPort: port})
	}
}

func cluster(t *testing.T, policies ...string) state {
	t.Helper()
	s := state{
		namespaces: []*corev1.Namespace{
			{ObjectMeta: metav1.ObjectMeta{Name: "tv", Labels: map[string]string{"team": "tv"}}},
			{ObjectMeta: metav1.ObjectMeta{Name: "ops", Labels: map[string]string{"team": "ops"}}},
		},
		pods: []*corev1.Pod{
			somePod("tv", "web"), somePod("tv", "api", offers("http", 8080)), somePod("tv", "db", offers("http", 9000)),
			somePod("ops", "probe"),
			somePod("tv", "remote", func(p *corev1.Pod) { p.Spec.NodeName = "elsewhere" }),
			somePod("tv", "node", func(p *corev1.Pod) { p.Spec.HostNetwork = true }),
			somePod("tv", "ended", func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded }),
			somePod("tv", "starting"),
		},
	}
	for i, text := range policies {
		p := &networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: "tv", Name: "policy-" + strconv.Itoa(i)}}
		if err := yaml.UnmarshalStrict([]byte(text), &p.Spec); err != nil {
			t.Fatal(err)
		}
		s.policies = append(s.policies, p)
	}
	return s
}

// allows does what the kernel does with the rules, for a path such as
// "web>api:8080" or "web>outside:53/UDP".
func (f filter) allows(path string) bool {
	from, rest, _ := strings.Cut(path, ">")
	to, target, _ := strings.Cut(rest, ":")
	number, protocol, found := strings.Cut(target, "/")
	if !found {
		protocol = "TCP"
	}
	port, _ := strconv.ParseUint(number, 10, 16)
	sender, receiver := netip.MustParseAddr(addresses[from]), netip.MustParseAddr(addresses[to])
	if sender == receiver {
		return true
	}
	e := endpoint{receiver, corev1.Protocol(protocol), uint16(port)}
	return pass(f.egress, sender, receiver, e) && pass(f.ingress, receiver, sender, e)
}

func pass(isolated map[netip.Addr][]rule, pod, peer netip.Addr, e endpoint) bool {
	rules, found := isolated[pod]
	return !found || slices.ContainsFunc(rules, func(r rule) bool {
		ports := r.anyPort || slices.Contains(r.endpoints, e) || slices.ContainsFunc(r.ports, func(p ports) bool {
			return p.protocol == e.protocol && p.first <= e.port && e.port <= p.last
		})
		return ports && (r.anyPeer || r.peers.contain(peer))
	})
}

func TestPaths(t *testing.T) {
	cases := map[string]struct {
		policies        []string
		allowed, denied string
	}{
		"no policy": {nil, "web>api:8080 outside>api:1 api>outside:443 node>api:8080", ""},
		"another pod's policy": {
			[]string{"{podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress, Egress]}"},
			"web>api:8080 api>outside:443", "web>db:9000 db>web:1 db>outside:53/UDP",
		},
		"default deny of both directions": {
			[]string{"{podSelector: {}, policyTypes: [Ingress, Egress]}"},
			"probe>outside:443 probe>probe:1 web>web:80", "web>api:8080 outside>api:8080 api>outside:443 web>node:10250 probe>web:80",
		},
		"ingress alone leaves egress": {
			[]string{"{podSelector: {matchLabels: {app: api}}}"},
			"api>outside:443 api>web:80", "web>api:8080",
		},
		"egress alone leaves ingress": {
			[]string{"{podSelector: {matchLabels: {app: api}}, policyTypes: [Egress]}"},
			"web>api:8080 outside>api:1", "api>web:80",
		},
		"both ends must agree": {
			[]string{
				"{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: api}}}]}]}",
				"{podSelector: {matchLabels: {app: api}}, ingress: [{from: [{podSelector: {matchLabels: {app: db}}}]}]}",
			},
			"db>api:8080", "web>api:8080",
		},
		"pods of the own namespace only": {
			[]string{"{podSelector: {matchLabels: {app: api}}, ingress: [{from: [{podSelector: {}}]}]}"},
			"web>api:8080 remote>api:8080 web>api:5/SCTP", "probe>api:8080 outside>api:8080 node>api:8080 ended>api:8080",
		},
		"every pod of a namespace": {
			[]string{"{podSelector: {matchLabels: {app: api}}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: ops}}}]}]}"},
			"probe>api:8080", "web>api:8080 outside>api:8080",
		},
		"every pod of every namespace": {
			[]string{"{podSelector: {matchLabels: {app: api}}, ingress: [{from: [{namespaceSelector: {}}]}]}"},
			"probe>api:8080 web>api:8080", "outside>api:8080 node>api:8080",
		},
		"some pods of a namespace": {
			[]string{"{podSelector: {matchLabels: {app: api}}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: ops}}, podSelector: {matchLabels: {app: web}}}]}]}"},
			"", "probe>api:8080 web>api:8080",
		},
		"expressions": {
			[]string{"{podSelector: {matchLabels: {app: api}}, ingress: [{from: [{podSelector: {matchExpressions: [{key: app, operator: In, values: [web, db]}]}}]}]}"},
			"web>api:8080 db>api:8080", "remote>api:8080",
		},
		"addresses with an exception": {
			[]string{"{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.1.0.0/16, 10.0.0.0/24]}}]}]}"},
			"web>outside:443 web>remote:1", "web>api:8080 web>node:10250",
		},
		"addresses of pods": {
			[]string{"{podSelector: {matchLabels: {app: api}}, ingress: [{from: [{ipBlock: {cidr: 10.1.1.0/24}}]}]}"},
			"probe>api:8080", "web>api:8080",
		},
		"an exception counts for its own block": {
			[]string{"{podSelector: {matchLabels: {app: api}}, ingress: [{from: [{ipBlock: {cidr: 10.1.0.0/16, except: [10.1.0.0/24]}}, {podSelector: {matchLabels: {app: web}}}]}]}"},
			"web>api:8080 probe>api:8080", "db>api:8080",
		},
		"a port": {
			[]string{"{podSelector: {matchLabels: {app: api}}, ingress: [{ports: [{port: 8080}]}]}"},
			"web>api:8080 outside>api:8080", "web>api:8081 web>api:8080/UDP",
		},
		"a range of ports": {
			[]string{"{podSelector: {matchLabels: {app: api}}, ingress: [{ports: [{port: 8000, endPort: 8080}]}]}"},
			"web>api:8000 web>api:8080", "web>api:7999 web>api:8081",
		},
		"a protocol": {
			[]string{"{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{ports: [{protocol: UDP}]}]}"},
			"web>outside:53/UDP web>api:1/UDP", "web>outside:53",
		},
		"names": {
			[]string{"{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]}]}"},
			"web>outside:53/UDP web>outside:53 web>node:53/UDP", "web>outside:443 web>api:8080",
		},
		"a named port of the isolated pods": {
			[]string{"{podSelector: {}, ingress: [{ports: [{port: http}]}]}"},
			"web>api:8080 web>db:9000 outside>api:8080", "web>api:9000 web>db:8080 api>web:8080",
		},
		"a named port of other pods": {
			[]string{"{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: db}}}], ports: [{port: http}]}]}"},
			"web>db:9000", "web>db:8080 web>api:8080 web>api:9000",
		},
		"a named port of another protocol": {
			[]string{"{podSelector: {matchLabels: {app: api}}, ingress: [{ports: [{port: http, protocol: UDP}]}]}"},
			"", "web>api:8080 web>api:8080/UDP",
		},
		"peer and port of one rule": {
			[]string{"{podSelector: {matchLabels: {app: api}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 8080}]}, {ports: [{port: 9090}]}]}"},
			"web>api:8080 db>api:9090", "db>api:8080 web>api:1",
		},
		"policies add up": {
			[]string{
				"{podSelector: {matchLabels: {app: api}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}",
				"{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: db}}}]}]}",
			},
			"web>api:8080 db>api:8080 db>web:1", "remote>api:8080 api>web:1",
		},
		"an empty rule allows all": {
			[]string{"{podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{}], egress: [{}]}"},
			"web>api:8080 outside>api:8080 api>outside:443", "",
		},
		"types follow from the rules": {
			[]string{"{podSelector: {matchLabels: {app: api}}, egress: [{to: [{podSelector: {matchLabels: {app: db}}}]}]}"},
			"api>db:1", "web>api:8080 api>web:1",
		},
		"only pods of this node are filtered here": {
			[]string{"{podSelector: {}, policyTypes: [Ingress, Egress]}"},
			"probe>remote:1", "web>remote:1",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f := compute(cluster(t, tc.policies...), "here")
			for path := range strings.FieldsSeq(tc.allowed) {
				if !f.allows(path) {
					t.Errorf("%s is denied", path)
				}
			}
			for path := range strings.FieldsSeq(tc.denied) {
				if f.allows(path) {
					t.Errorf("%s is allowed", path)
				}
			}
		})
	}
}

func TestSpans(t *testing.T) {
	prefix := func(text string) span { return spanOf(netip.MustParsePrefix(text)) }
	cases := map[string]struct {
		got  spans
		want string
	}{
		"one address":           {join([]span{prefix("10.0.0.1/32")}), "10.0.0.1"},
		"everything":            {join([]span{prefix("0.0.0.0/0"), prefix("10.0.0.0/8")}), "0.0.0.0-255.255.255.255"},
		"neighbours are merged": {join([]span{prefix("10.0.1.0/24"), prefix("10.0.0.0/24")}), "10.0.0.0-10.0.1.255"},
		"others are not":        {join([]span{prefix("10.0.2.0/24"), prefix("10.0.0.0/24")}), "10.0.0.0-10.0.0.255 10.0.2.0-10.0.2.255"},
		"a hole in the middle":  {spans{prefix("10.0.0.0/24")}.without(prefix("10.0.0.4/30")), "10.0.0.0-10.0.0.3 10.0.0.8-10.0.0.255"},
		"a hole at the edges":   {spans{prefix("10.0.0.0/24")}.without(prefix("10.0.0.0/25")), "10.0.0.128-10.0.0.255"},
		"a hole of all":         {spans{prefix("10.0.0.0/24")}.without(prefix("10.0.0.0/8")), ""},
		"a hole at the end":     {spans{prefix("0.0.0.0/0")}.without(prefix("128.0.0.0/1")), "0.0.0.0-127.255.255.255"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, s := range tc.got {
				got = append(got, s.String())
			}
			if text := strings.Join(got, " "); text != tc.want {
				t.Errorf("%q, want %q", text, tc.want)
			}
		})
	}
}
