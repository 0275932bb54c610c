package desired

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	networkingv1 "k8s.io/api/networking/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

func TestNetwork(t *testing.T) {
	egress := func(ranges ...string) []v1alpha1.NetworkEgress {
		var all []v1alpha1.NetworkEgress
		for _, r := range ranges {
			all = append(all, v1alpha1.NetworkEgress{CIDR: r})
		}
		return all
	}
	peer := func(cidr string) []networkingv1.NetworkPolicyPeer {
		return []networkingv1.NetworkPolicyPeer{{IPBlock: &networkingv1.IPBlock{CIDR: cidr}}}
	}
	cases := map[string]struct{ platform, own, want *v1alpha1.Network }{
		"nothing":      {},
		"the platform": {platform: &v1alpha1.Network{Egress: egress("a")}, want: &v1alpha1.Network{Egress: egress("a")}},
		"the service":  {own: &v1alpha1.Network{Egress: egress("a")}, want: &v1alpha1.Network{Egress: egress("a")}},
		"ways out add up": {
			&v1alpha1.Network{Egress: egress("a", "b")}, &v1alpha1.Network{Egress: egress("c")},
			&v1alpha1.Network{Egress: egress("a", "b", "c")},
		},
		"other lists are kept": {
			&v1alpha1.Network{EdgeFrom: peer("a"), MetricsFrom: peer("b"), DNS: peer("c")}, &v1alpha1.Network{},
			&v1alpha1.Network{EdgeFrom: peer("a"), MetricsFrom: peer("b"), DNS: peer("c")},
		},
		"other lists are replaced": {
			&v1alpha1.Network{EdgeFrom: peer("a"), MetricsFrom: peer("b"), DNS: peer("c")},
			&v1alpha1.Network{EdgeFrom: peer("x"), MetricsFrom: peer("y"), DNS: peer("z")},
			&v1alpha1.Network{EdgeFrom: peer("x"), MetricsFrom: peer("y"), DNS: peer("z")},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			platform, own := tc.platform.DeepCopy(), tc.own.DeepCopy()
			if diff := cmp.Diff(tc.want, network(tc.platform, tc.own)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !cmp.Equal(platform, tc.platform) || !cmp.Equal(own, tc.own) {
				t.Error("the inputs changed")
			}
		})
	}
}
