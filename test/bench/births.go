package main

import (
	"strings"
	"time"
)

// span is from the first request to the last answer.
type span struct{ first, last time.Time }

func (s *span) add(e event) {
	if s.first.IsZero() || e.RequestReceivedTimestamp.Before(s.first) {
		s.first = e.RequestReceivedTimestamp
	}
	if e.StageTimestamp.After(s.last) {
		s.last = e.StageTimestamp
	}
}

func (s *span) duration() time.Duration { return s.last.Sub(s.first) }

// births follows the objects of new platforms.
type births struct {
	wanted    int
	seen      map[string]bool
	all       span
	platforms map[string]*span
}

func newBirths(wanted int) *births {
	return &births{wanted: wanted, seen: map[string]bool{}, platforms: map[string]*span{}}
}

// see takes an event and says whether everything is there.
func (b *births) see(e event) bool {
	ref := e.ObjectRef
	created := e.User.Username == peopleUser && e.Verb == "create" && ref.Resource == "streamingplatforms" && e.ok()
	if ref.Namespace != benchNamespace || !created && !e.applies(operatorUser) {
		return false
	}
	if !created {
		b.seen[ref.Resource+"/"+ref.Name] = true
	}
	platform, _, _ := strings.Cut(ref.Name, "-")
	if b.platforms[platform] == nil {
		b.platforms[platform] = &span{}
	}
	b.platforms[platform].add(e)
	b.all.add(e)
	return len(b.seen) == b.wanted
}

func (b *births) creation(n int, requests requests) creation {
	var each []time.Duration
	for _, s := range b.platforms {
		each = append(each, s.duration())
	}
	return creation{Platforms: n, Seconds: b.all.duration().Seconds(), LastChild: distribution(each), Requests: requests}
}
