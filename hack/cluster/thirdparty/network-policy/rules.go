package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/knftables"
)

const (
	egressMap  = "egress-of-pods"
	ingressMap = "ingress-of-pods"
	selfSet    = "themselves"

	// refuse answers, so that nobody waits for a deadline, and differs from
	// what an address answers where nobody listens.
	refuse = "reject with icmp type admin-prohibited"
)

// write replaces the table with one that lets through what the filter says.
// nftables does it in one step: no packet meets half of it.
//
// kube-proxy has turned ClusterIPs into the addresses of pods before packets
// come here, and hides the sender only afterwards. What a node itself sends to
// its pods, such as probes, does not pass.
func write(tx *knftables.Transaction, f filter) {
	tx.Add(&knftables.Table{})
	tx.Delete(&knftables.Table{})
	tx.Add(&knftables.Table{})
	t := table{tx: tx, done: map[string]bool{}}
	tx.Add(&knftables.Set{Name: selfSet, Type: "ipv4_addr . ipv4_addr"})
	t.direction(egressMap, "daddr", f.egress)
	t.direction(ingressMap, "saddr", f.ingress)
	itself := map[netip.Addr]bool{}
	for _, all := range []map[netip.Addr][]rule{f.ingress, f.egress} {
		for address := range all {
			itself[address] = true
		}
	}
	for _, address := range slices.SortedFunc(maps.Keys(itself), netip.Addr.Compare) {
		tx.Add(&knftables.Element{Set: selfSet, Key: []string{address.String(), address.String()}})
	}
	t.base(knftables.ForwardHook, "ip saddr vmap @"+egressMap, "ip daddr vmap @"+ingressMap)
	t.base(knftables.InputHook, "ip saddr vmap @"+egressMap)
}

// table is a table in the making.
type table struct {
	tx *knftables.Transaction
	// done names the chains and sets that exist.
	done map[string]bool
}

func (t table) base(hook knftables.BaseChainHook, rules ...string) {
	name := string(hook)
	t.tx.Add(&knftables.Chain{
		Name: name, Type: knftables.PtrTo(knftables.FilterType), Hook: &hook, Priority: knftables.PtrTo(knftables.FilterPriority),
	})
	always := []string{"ct state established,related accept", "ip saddr . ip daddr @" + selfSet + " accept"}
	for _, rule := range append(always, rules...) {
		t.tx.Add(&knftables.Rule{Chain: name, Rule: rule})
	}
}

// direction sends each isolated pod's packets through a chain; pods of equal
// rules share one.
func (t table) direction(name, peer string, pods map[netip.Addr][]rule) {
	t.tx.Add(&knftables.Map{Name: name, Type: "ipv4_addr : verdict"})
	for _, address := range slices.SortedFunc(maps.Keys(pods), netip.Addr.Compare) {
		chain := t.chain(name, peer, pods[address])
		t.tx.Add(&knftables.Element{Map: name, Key: []string{address.String()}, Value: []string{"jump " + chain}})
	}
}

// chain returns to where it was called from for what is allowed.
func (t table) chain(direction, peer string, rules []rule) string {
	name := nameOf(direction, fmt.Sprint(rules))
	if t.done[name] {
		return name
	}
	t.done[name] = true
	t.tx.Add(&knftables.Chain{Name: name})
	for _, r := range rules {
		comment := r.policy[:min(len(r.policy), knftables.CommentLengthMax)]
		for _, match := range t.matches(r, peer) {
			t.tx.Add(&knftables.Rule{Chain: name, Rule: strings.TrimSpace(match + " return"), Comment: &comment})
		}
	}
	t.tx.Add(&knftables.Rule{Chain: name, Rule: refuse})
	return name
}

// matches is a rule in the words of nft; none for a rule that nothing meets.
func (t table) matches(r rule, peer string) []string {
	other := ""
	if !r.anyPeer {
		if len(r.peers) == 0 {
			return nil
		}
		other = "ip " + peer + " @" + t.peers(r.peers) + " "
	}
	if r.anyPort {
		return []string{other}
	}
	var all []string
	for _, protocol := range []corev1.Protocol{corev1.ProtocolTCP, corev1.ProtocolUDP, corev1.ProtocolSCTP} {
		for _, p := range r.ports {
			if p.protocol == protocol {
				all = append(all, fmt.Sprintf("%s%s dport %d-%d", other, strings.ToLower(string(protocol)), p.first, p.last))
			}
		}
	}
	if len(r.endpoints) > 0 {
		var elements []string
		for _, e := range r.endpoints {
			elements = append(elements, fmt.Sprintf("%s . %s . %d", e.address, strings.ToLower(string(e.protocol)), e.port))
		}
		slices.Sort(elements)
		all = append(all, other+"ip daddr . meta l4proto . th dport { "+strings.Join(slices.Compact(elements), ", ")+" }")
	}
	return all
}

// peers makes a set of addresses.
func (t table) peers(all spans) string {
	name := nameOf("peers", fmt.Sprint(all))
	if t.done[name] {
		return name
	}
	t.done[name] = true
	t.tx.Add(&knftables.Set{Name: name, Type: "ipv4_addr", Flags: []knftables.SetFlag{knftables.IntervalFlag}})
	for _, s := range all {
		t.tx.Add(&knftables.Element{Set: name, Key: []string{s.String()}})
	}
	return name
}

func nameOf(kind, content string) string {
	sum := sha256.Sum256([]byte(content))
	return kind + "-" + hex.EncodeToString(sum[:])[:12]
}
