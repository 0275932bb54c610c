package balance

import (
	"context"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"
)

// endpoints is the set of addresses behind the target.
type endpoints struct {
	config Config
	known  chan struct{} // closed when the first addresses are known
	once   sync.Once

	mu      sync.Mutex
	current []*endpoint
}

func newEndpoints(config Config) *endpoints {
	return &endpoints{config: config, known: make(chan struct{})}
}

// keepFresh resolves until ctx ends. When a look-up fails or is empty, the last good addresses stay.
func (s *endpoints) keepFresh(ctx context.Context) {
	ticker := time.NewTicker(s.config.RefreshEvery)
	defer ticker.Stop()
	for {
		s.refresh(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (s *endpoints) refresh(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, s.config.RefreshEvery)
	defer cancel()
	hosts, err := s.config.Resolver.LookupHost(ctx, s.config.Target.Hostname())
	if err != nil || len(hosts) == 0 {
		return
	}
	addresses := make([]string, 0, len(hosts))
	for _, host := range hosts {
		addresses = append(addresses, net.JoinHostPort(host, port(s.config)))
	}
	s.replace(addresses)
}

func port(c Config) string {
	switch {
	case c.Target.Port() != "":
		return c.Target.Port()
	case c.Target.Scheme == "https":
		return "443"
	}
	return "80"
}

// replace keeps the pools of addresses that stay and retires those that went; their running requests finish.
func (s *endpoints) replace(addresses []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.Sort(addresses)
	addresses = slices.Compact(addresses)
	next := make([]*endpoint, 0, len(addresses))
	for _, address := range addresses {
		at := slices.IndexFunc(s.current, func(e *endpoint) bool { return e.address == address })
		if at >= 0 {
			next = append(next, s.current[at])
			continue
		}
		next = append(next, newEndpoint(address, s.config))
	}
	for _, old := range s.current {
		if !slices.Contains(next, old) {
			old.retire()
		}
	}
	s.current = next
	if len(next) > 0 {
		s.once.Do(func() { close(s.known) })
	}
}

// await holds early requests back until the first look-up, but not for long.
func (s *endpoints) await(ctx context.Context) error {
	select {
	case <-s.known:
		return nil
	default:
	}
	timer := time.NewTimer(s.config.DialTimeout)
	defer timer.Stop()
	select {
	case <-s.known:
		return nil
	case <-timer.C:
		return ErrNoEndpoints
	case <-ctx.Done():
		return ctx.Err()
	}
}

// pick takes the less busy of two random endpoints. Ejected ones and, above all, those already tried come last.
func (s *endpoints) pick(tried map[*endpoint]bool) *endpoint {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.config.Now()
	fresh := slices.DeleteFunc(slices.Clone(s.current), func(e *endpoint) bool { return tried[e] })
	healthy := slices.DeleteFunc(slices.Clone(fresh), func(e *endpoint) bool { return now.Before(e.ejectedUntil) })
	for _, candidates := range [][]*endpoint{healthy, fresh, s.current} {
		if len(candidates) > 0 {
			return lessBusy(candidates)
		}
	}
	return nil
}

func lessBusy(candidates []*endpoint) *endpoint {
	first := rand.IntN(len(candidates)) //nolint:gosec // spreading load needs no secret
	if len(candidates) == 1 {
		return candidates[first]
	}
	second := (first + 1 + rand.IntN(len(candidates)-1)) % len(candidates) //nolint:gosec // spreading load needs no secret
	if candidates[second].inFlight.Load() < candidates[first].inFlight.Load() {
		return candidates[second]
	}
	return candidates[first]
}

func (s *endpoints) allTried(tried map[*endpoint]bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !slices.ContainsFunc(s.current, func(e *endpoint) bool { return !tried[e] })
}

// failed leaves an endpoint alone for a while, longer each time in a row.
func (s *endpoints) failed(e *endpoint) {
	s.mu.Lock()
	defer s.mu.Unlock()
	pause := min(s.config.EjectFor<<min(e.failures, 10), maxEjection)
	e.failures++
	e.ejectedUntil = s.config.Now().Add(pause)
	e.transport.CloseIdleConnections() // they lead to the same place
}

func (s *endpoints) worked(e *endpoint) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.failures, e.ejectedUntil = 0, time.Time{}
}

// count tells how many endpoints there are and how many of them are ejected.
func (s *endpoints) count() (known, ejected int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.config.Now()
	for _, e := range s.current {
		if now.Before(e.ejectedUntil) {
			ejected++
		}
	}
	return len(s.current), ejected
}
