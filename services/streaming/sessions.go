package main

import (
	"hash/maphash"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"
)

const (
	sessionTime = 30 * time.Second
	maxSessions = 100_000
)

// sessions counts the viewers of the last seconds, within a fixed amount of memory.
type sessions struct {
	now  func() time.Time
	seed maphash.Seed

	mu   sync.Mutex
	last map[uint64]time.Time
}

func newSessions(now func() time.Time) *sessions {
	return &sessions{now: now, seed: maphash.MakeSeed(), last: map[uint64]time.Time{}}
}

// seen remembers the viewer of a request. When the memory is full of active viewers, more are not counted.
func (s *sessions) seen(r *http.Request) {
	key := maphash.String(s.seed, viewer(r))
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.last[key]; !known && len(s.last) >= maxSessions {
		s.forgetOld()
		if len(s.last) >= maxSessions {
			return
		}
	}
	s.last[key] = s.now()
}

func (s *sessions) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetOld()
	return len(s.last)
}

func (s *sessions) forgetOld() {
	oldest := s.now().Add(-sessionTime)
	for key, seen := range s.last {
		if seen.Before(oldest) {
			delete(s.last, key)
		}
	}
}

// sessionID is the key sid of Common Media Client Data (CTA-5004).
var sessionID = regexp.MustCompile(`(?:^|,)\s*sid="([^"]{1,64})"`)

// viewer is the playback session that the player names, or else the client's address and browser.
func viewer(r *http.Request) string {
	for _, data := range []string{r.Header.Get("CMCD-Session"), r.URL.Query().Get("CMCD")} {
		if match := sessionID.FindStringSubmatch(data); match != nil {
			return match[1]
		}
	}
	client, _, _ := strings.Cut(r.Header.Get("X-Forwarded-For"), ",")
	if client == "" {
		client, _, _ = net.SplitHostPort(r.RemoteAddr)
	}
	return strings.TrimSpace(client) + " " + r.UserAgent()
}
