package network

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/streamplane/streamplane/hack/cluster/internal/layout"
)

const (
	lanMember          = "lan"
	controlPlaneMember = "cp"
	bridgeName         = "br0"
	uplink             = "eth0"
)

// Network is the network of one cluster.
type Network struct {
	Paths layout.Paths
	Plan  layout.Plan
}

// Create makes the network without nodes. Nothing of it may exist.
func (n Network) Create() error {
	lan := n.Paths.NamespaceFile(lanMember)
	if err := createNamespace(lan); err != nil {
		return err
	}
	if err := inside(lan, createBridge); err != nil {
		return err
	}
	if err := n.attachHost(); err != nil {
		return err
	}
	if err := n.attach(controlPlaneMember, n.Plan.ControlPlane()); err != nil {
		return err
	}
	return inside(n.Paths.NamespaceFile(controlPlaneMember), func(h *netlink.Handle) error {
		// Local programs need some route before kube-proxy rewrites the address.
		return routeOut(h, n.Plan.Services())
	})
}

// AddNode joins the node with this number; those with lower numbers exist.
func (n Network) AddNode(number int) error {
	name := layout.NodeName(number)
	if err := removeNamespace(n.Paths.NamespaceFile(name)); err != nil {
		return err
	}
	if err := n.attach(name, n.Plan.Node(number)); err != nil {
		return err
	}
	err := inside(n.Paths.NamespaceFile(name), func(h *netlink.Handle) error {
		errs := []error{routeVia(h, n.Plan.Services(), n.Plan.ControlPlane()), refuseOthers(h)}
		for other := 1; other < number; other++ {
			errs = append(errs, routeVia(h, n.Plan.NodePods(other), n.Plan.Node(other)))
		}
		return errors.Join(errs...)
	})
	if err != nil {
		return err
	}
	return n.announce(number)
}

// announce tells everybody else where the pods of a node are.
func (n Network) announce(number int) error {
	add := func(h *netlink.Handle) error {
		return routeVia(h, n.Plan.NodePods(number), n.Plan.Node(number))
	}
	if err := onHost(add); err != nil {
		return err
	}
	members := []string{controlPlaneMember}
	for other := 1; other < number; other++ {
		members = append(members, layout.NodeName(other))
	}
	for _, member := range members {
		if err := inside(n.Paths.NamespaceFile(member), add); err != nil {
			return err
		}
	}
	return nil
}

// Partition cuts a node off from everything else.
func (n Network) Partition(node string) error {
	return n.setPort(node, func(h *netlink.Handle, port netlink.Link) error { return h.LinkSetDown(port) })
}

// Heal joins a node again.
func (n Network) Heal(node string) error {
	return n.setPort(node, func(h *netlink.Handle, port netlink.Link) error { return h.LinkSetUp(port) })
}

// CutOff reports whether a node is partitioned.
func (n Network) CutOff(node string) bool {
	cut := false
	err := n.setPort(node, func(_ *netlink.Handle, port netlink.Link) error {
		cut = port.Attrs().Flags&net.FlagUp == 0
		return nil
	})
	return err == nil && cut
}

func (n Network) setPort(node string, set func(*netlink.Handle, netlink.Link) error) error {
	return inside(n.Paths.NamespaceFile(lanMember), func(h *netlink.Handle) error {
		port, err := h.LinkByName(node)
		if err != nil {
			return fmt.Errorf("find the link of %s: %w", node, err)
		}
		if err := set(h, port); err != nil {
			return fmt.Errorf("change the link of %s: %w", node, err)
		}
		return nil
	})
}

// attach makes a namespace whose uplink is a port of the bridge.
func (n Network) attach(member string, address netip.Addr) error {
	file := n.Paths.NamespaceFile(member)
	if err := createNamespace(file); err != nil {
		return err
	}
	ns, err := netns.GetFromPath(file)
	if err != nil {
		return fmt.Errorf("open network namespace of %s: %w", member, err)
	}
	defer func() { _ = ns.Close() }()
	if err := n.plugIn(member, uplink, ns); err != nil {
		return err
	}
	return inside(file, func(h *netlink.Handle) error { return setAddress(h, uplink, n.prefix(address)) })
}

// attachHost links the machine to the bridge and to the Services behind it.
func (n Network) attachHost() error {
	host, err := netns.Get()
	if err != nil {
		return fmt.Errorf("open the network namespace of the machine: %w", err)
	}
	defer func() { _ = host.Close() }()
	if err := n.plugIn("host", n.Plan.HostLink(), host); err != nil {
		return err
	}
	return onHost(func(h *netlink.Handle) error {
		if err := setAddress(h, n.Plan.HostLink(), n.prefix(n.Plan.Host())); err != nil {
			return err
		}
		return routeVia(h, n.Plan.Services(), n.Plan.ControlPlane())
	})
}

// plugIn makes a link from a new port of the bridge into a namespace.
func (n Network) plugIn(port, peer string, into netns.NsHandle) error {
	return inside(n.Paths.NamespaceFile(lanMember), func(h *netlink.Handle) error {
		bridge, err := h.LinkByName(bridgeName)
		if err != nil {
			return fmt.Errorf("find the bridge: %w", err)
		}
		if old, err := h.LinkByName(port); err == nil {
			_ = h.LinkDel(old)
		}
		link := &netlink.Veth{
			LinkAttrs: netlink.LinkAttrs{Name: port, MasterIndex: bridge.Attrs().Index},
			PeerName:  peer, PeerNamespace: netlink.NsFd(int(into)),
		}
		if err := h.LinkAdd(link); err != nil {
			return fmt.Errorf("make the link of %s: %w", port, err)
		}
		if err := h.LinkSetUp(link); err != nil {
			return fmt.Errorf("start the link of %s: %w", port, err)
		}
		return nil
	})
}

func (n Network) prefix(address netip.Addr) netip.Prefix {
	return netip.PrefixFrom(address, n.Plan.LAN().Bits())
}

func createBridge(h *netlink.Handle) error {
	bridge := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: bridgeName}}
	if err := h.LinkAdd(bridge); err != nil {
		return fmt.Errorf("make the bridge: %w", err)
	}
	if err := h.LinkSetUp(bridge); err != nil {
		return fmt.Errorf("start the bridge: %w", err)
	}
	return nil
}

func onHost(use func(*netlink.Handle) error) error {
	handle, err := netlink.NewHandle()
	if err != nil {
		return fmt.Errorf("look at the machine's network: %w", err)
	}
	defer handle.Close()
	return use(handle)
}

func setAddress(h *netlink.Handle, name string, address netip.Prefix) error {
	link, err := h.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find link %s: %w", name, err)
	}
	if err := h.AddrAdd(link, &netlink.Addr{IPNet: ipNet(address)}); err != nil {
		return fmt.Errorf("give %s its address: %w", name, err)
	}
	if err := h.LinkSetUp(link); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	return nil
}

func routeVia(h *netlink.Handle, to netip.Prefix, via netip.Addr) error {
	if err := h.RouteReplace(&netlink.Route{Dst: ipNet(to), Gw: via.AsSlice()}); err != nil {
		return fmt.Errorf("route %s via %s: %w", to, via, err)
	}
	return nil
}

// refuseOthers makes connections to the rest of the world fail at once.
func refuseOthers(h *netlink.Handle) error {
	everything := &net.IPNet{IP: net.IPv4zero, Mask: net.CIDRMask(0, 32)}
	route := &netlink.Route{Dst: everything, Type: unix.RTN_UNREACHABLE, Priority: math.MaxInt32}
	if err := h.RouteReplace(route); err != nil {
		return fmt.Errorf("refuse other addresses: %w", err)
	}
	return nil
}

func routeOut(h *netlink.Handle, to netip.Prefix) error {
	link, err := h.LinkByName(uplink)
	if err != nil {
		return fmt.Errorf("find link %s: %w", uplink, err)
	}
	route := &netlink.Route{Dst: ipNet(to), LinkIndex: link.Attrs().Index, Scope: netlink.SCOPE_LINK}
	if err := h.RouteReplace(route); err != nil {
		return fmt.Errorf("route %s: %w", to, err)
	}
	return nil
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
