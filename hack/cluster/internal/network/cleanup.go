package network

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"

	"github.com/streamplane/streamplane/hack/cluster/internal/layout"
)

// Remove takes the whole network away, whatever of it exists.
func (n Network) Remove() error {
	var errs []error
	if link, err := n.hostLink(); err == nil {
		if err := netlink.LinkDel(link); err != nil {
			errs = append(errs, fmt.Errorf("remove link %s: %w", n.Plan.HostLink(), err))
		}
	}
	for _, file := range namespacesOf(n.Paths) {
		errs = append(errs, removeNamespace(file))
	}
	return errors.Join(errs...)
}

// hostLink finds the machine's own link; without a slot there is none of ours.
func (n Network) hostLink() (netlink.Link, error) {
	if n.Plan.Slot == layout.NoSlot {
		return nil, errors.New("the cluster has no address range")
	}
	return netlink.LinkByName(n.Plan.HostLink())
}

// Whole reports whether nobody has taken a part of the network away.
func (n Network) Whole(nodes int) bool {
	_, err := n.hostLink()
	// One namespace for the LAN, one for the control plane, one per node.
	return err == nil && len(namespacesOf(n.Paths)) >= nodes+2
}

// Left lists what of the network still exists.
func (n Network) Left() []string {
	var left []string
	for _, file := range namespacesOf(n.Paths) {
		left = append(left, "network namespace "+file)
	}
	if n.Plan.Slot == layout.NoSlot {
		return left
	}
	if _, err := n.hostLink(); err == nil {
		left = append(left, "link "+n.Plan.HostLink())
	}
	for _, route := range routesInto(n.Plan.All()) {
		left = append(left, "route to "+route.String())
	}
	return left
}

// InUse reports whether the machine already knows a way into the address
// range: somebody else's network would be hidden.
func InUse(plan layout.Plan) bool { return len(routesInto(plan.All())) > 0 }

// routesInto lists the machine's routes that overlap the range; a default route
// says nothing.
func routesInto(all netip.Prefix) []netip.Prefix {
	routes, err := netlink.RouteList(nil, netlink.FAMILY_V4)
	if err != nil {
		return nil
	}
	var found []netip.Prefix
	for _, route := range routes {
		if route.Dst == nil {
			continue
		}
		address, ok := netip.AddrFromSlice(route.Dst.IP.To4())
		bits, _ := route.Dst.Mask.Size()
		if !ok || bits == 0 {
			continue
		}
		if prefix := netip.PrefixFrom(address, bits); prefix.Overlaps(all) {
			found = append(found, prefix)
		}
	}
	return found
}
