// Package layout says where everything of a cluster lives: its addresses, its
// names and its folders. It only computes.
package layout

import (
	"fmt"
	"net/netip"
	"regexp"
)

const (
	// Slots is how many clusters fit on one machine.
	Slots = 32
	// MaxNodes is how many nodes fit into one cluster.
	MaxNodes = 99

	firstOctet     = 10
	firstSlotOctet = 200
	nodeHostBase   = 10
	podsOctetBase  = 128
)

// NoSlot is the slot of a cluster that has no address range, or lost it to another.
const NoSlot = -1

// Plan is the address plan of one cluster: everything it uses lies in one /16
// of its own, so that two clusters never overlap.
type Plan struct {
	Slot int
}

// All is the range that holds every address of the cluster.
func (p Plan) All() netip.Prefix { return netip.PrefixFrom(p.address(0, 0), 16) }

// LAN is the network that joins the host, the control plane and the nodes.
func (p Plan) LAN() netip.Prefix { return netip.PrefixFrom(p.address(0, 0), 24) }

// Host is the address of the machine on the LAN.
func (p Plan) Host() netip.Addr { return p.address(0, 1) }

// ControlPlane is the address of the API server on the LAN.
func (p Plan) ControlPlane() netip.Addr { return p.address(0, 2) }

// Node is the address of the node with this number, from 1 on.
func (p Plan) Node(number int) netip.Addr { return p.address(0, nodeHostBase+number) }

// Services is the range of ClusterIPs.
func (p Plan) Services() netip.Prefix { return netip.PrefixFrom(p.address(64, 0), 18) }

// APIService is the ClusterIP of the Service "kubernetes".
func (p Plan) APIService() netip.Addr { return p.address(64, 1) }

// DNS is the ClusterIP of the cluster's DNS server.
func (p Plan) DNS() netip.Addr { return p.address(64, 10) }

// Pods is the range of all pods.
func (p Plan) Pods() netip.Prefix { return netip.PrefixFrom(p.address(podsOctetBase, 0), 17) }

// NodePods is the range of the pods of one node.
func (p Plan) NodePods(number int) netip.Prefix {
	return netip.PrefixFrom(p.address(podsOctetBase+number, 0), 24)
}

func (p Plan) address(third, fourth int) netip.Addr {
	return netip.AddrFrom4([4]byte{firstOctet, byte(firstSlotOctet + p.Slot), byte(third), byte(fourth)})
}

// NodeName is the name of the node with this number, from 1 on.
func NodeName(number int) string { return fmt.Sprintf("node-%d", number) }

// Zone is the zone of the node with this number: a letter for each of the
// first 26 nodes, then numbers.
func Zone(number int) string {
	if number <= 26 {
		return "zone-" + string(rune('a'+number-1))
	}
	return fmt.Sprintf("zone-%d", number)
}

var clusterName = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,13}[a-z0-9])?$`)

// CheckName says what is wrong with the name of a cluster.
func CheckName(name string) error {
	if !clusterName.MatchString(name) {
		return fmt.Errorf("cluster name %q: want at most 15 lower-case letters, digits and dashes, starting with a letter", name)
	}
	return nil
}
