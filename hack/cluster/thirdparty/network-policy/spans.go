package main

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"
)

// span is a range of IPv4 addresses, both ends included.
type span struct{ first, last uint32 }

// spans are ordered and do not touch each other.
type spans []span

func number(address netip.Addr) uint32 {
	bytes := address.As4()
	return binary.BigEndian.Uint32(bytes[:])
}

func address(number uint32) netip.Addr {
	var bytes [4]byte
	binary.BigEndian.PutUint32(bytes[:], number)
	return netip.AddrFrom4(bytes)
}

func spanOf(prefix netip.Prefix) span {
	first := number(prefix.Masked().Addr())
	return span{first: first, last: first | uint32(uint64(1)<<(32-prefix.Bits())-1)}
}

// String is the span as nft reads it.
func (s span) String() string {
	if s.first == s.last {
		return address(s.first).String()
	}
	return address(s.first).String() + "-" + address(s.last).String()
}

// join merges spans that overlap or touch: nft refuses overlapping elements.
func join(all []span) spans {
	slices.SortFunc(all, func(a, b span) int { return cmp.Compare(a.first, b.first) })
	var joined spans
	for _, s := range all {
		last := len(joined) - 1
		if last >= 0 && uint64(s.first) <= uint64(joined[last].last)+1 {
			joined[last].last = max(joined[last].last, s.last)
			continue
		}
		joined = append(joined, s)
	}
	return joined
}

// without cuts a hole.
func (all spans) without(hole span) spans {
	var rest spans
	for _, s := range all {
		if s.last < hole.first || s.first > hole.last {
			rest = append(rest, s)
			continue
		}
		if s.first < hole.first {
			rest = append(rest, span{s.first, hole.first - 1})
		}
		if s.last > hole.last {
			rest = append(rest, span{hole.last + 1, s.last})
		}
	}
	return rest
}

func (all spans) contain(address netip.Addr) bool {
	n := number(address)
	return slices.ContainsFunc(all, func(s span) bool { return s.first <= n && n <= s.last })
}
