package layout

import (
	"net/netip"
	"strings"
	"testing"
)

func TestPlansNeverOverlap(t *testing.T) {
	for a := range Slots {
		for b := range a {
			if (Plan{Slot: a}).All().Overlaps((Plan{Slot: b}).All()) {
				t.Errorf("slots %d and %d overlap", a, b)
			}
		}
	}
}

func TestPlanIsConsistent(t *testing.T) {
	plan := Plan{Slot: 3}
	ranges := map[string]netip.Prefix{"LAN": plan.LAN(), "services": plan.Services(), "pods": plan.Pods()}
	for name, r := range ranges {
		if !plan.All().Overlaps(r) || plan.All().Bits() > r.Bits() || r != r.Masked() {
			t.Errorf("%s %s is not a range within %s", name, r, plan.All())
		}
		for other, o := range ranges {
			if name != other && r.Overlaps(o) {
				t.Errorf("%s %s overlaps %s %s", name, r, other, o)
			}
		}
	}
	addresses := map[netip.Addr]string{}
	lan := map[string]netip.Addr{"host": plan.Host(), "control plane": plan.ControlPlane()}
	for number := 1; number <= MaxNodes; number++ {
		lan[NodeName(number)] = plan.Node(number)
		if pods := plan.NodePods(number); !plan.Pods().Contains(pods.Addr()) || pods != pods.Masked() {
			t.Errorf("pods of node %d: %s is not within %s", number, pods, plan.Pods())
		}
	}
	for name, address := range lan {
		if !plan.LAN().Contains(address) {
			t.Errorf("%s: %s is not on the LAN", name, address)
		}
		if other, found := addresses[address]; found {
			t.Errorf("%s and %s share %s", name, other, address)
		}
		addresses[address] = name
	}
	for name, address := range map[string]netip.Addr{"DNS": plan.DNS(), "API": plan.APIService()} {
		if !plan.Services().Contains(address) {
			t.Errorf("%s: %s is no ClusterIP", name, address)
		}
	}
}

func TestZone(t *testing.T) {
	for number, want := range map[int]string{1: "zone-a", 2: "zone-b", 26: "zone-z", 27: "zone-27"} {
		if got := Zone(number); got != want {
			t.Errorf("Zone(%d) = %s, want %s", number, got, want)
		}
	}
}

func TestCheckName(t *testing.T) {
	cases := map[string]bool{
		"demo": true, "e2e": true, "a": true, "fifteen-letters": true,
		"": false, "Demo": false, "sixteen--letters": false, "2e2": false, "a-": false, "a/b": false, "..": false,
	}
	for name, want := range cases {
		t.Run(name, func(t *testing.T) {
			if err := CheckName(name); (err == nil) != want {
				t.Errorf("CheckName(%q) = %v", name, err)
			}
		})
	}
}

// The kernel and containerd limit the length of socket paths and link names.
func TestNamesFitTheirLimits(t *testing.T) {
	paths := Paths{Name: "fifteen-letters", State: "/" + strings.Repeat("long/", 100)}
	if path := paths.ShimSockets(); len(path) > 38 {
		t.Errorf("%s has %d characters", path, len(path))
	}
	sockets := []string{
		paths.ContainerdSocket(MaxNodes) + ".ttrpc",
		paths.ControlSocket(),
		paths.Inside().Node(MaxNodes) + "/kubelet/device-plugins/kubelet.sock",
		paths.Inside().Node(MaxNodes) + "/kubelet/pod-resources/kubelet.sock",
	}
	for _, socket := range sockets {
		if len(socket) > 107 {
			t.Errorf("%s has %d characters", socket, len(socket))
		}
	}
	if link := (Plan{Slot: Slots - 1}).HostLink(); len(link) > 15 {
		t.Errorf("%s has %d characters", link, len(link))
	}
}

func TestOwnsNamespace(t *testing.T) {
	paths := Paths{Name: "a"}
	cases := map[string]bool{
		paths.Namespace("lan"): true, paths.Namespace("cp"): true, paths.Namespace(NodeName(12)): true,
		"sp-b-lan": false, "sp-a-cp-lan": false, "sp-a-cp-node-1": false, "cni-1234": false, "sp-a-": false,
	}
	for name, want := range cases {
		t.Run(name, func(t *testing.T) {
			if got := paths.OwnsNamespace(name); got != want {
				t.Errorf("OwnsNamespace(%q) = %t", name, got)
			}
		})
	}
}
