// Package health answers the probes of a service and tells people how its dependencies do.
//
// A dependency never decides readiness: taking a pod out because its peer is down would spread the failure.
package health

import (
	"encoding/json"
	"net/http"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// State is what a service knows about itself. A new one is not ready.
type State struct {
	identity map[string]string
	up       *prometheus.GaugeVec

	mu           sync.Mutex
	ready        bool
	reason       string
	dependencies map[string]dependency
}

type dependency struct {
	Up    bool   `json:"up"`
	Error string `json:"error,omitempty"`
}

// New makes the state of a service; identity is shown on /statusz.
func New(identity map[string]string, metrics prometheus.Registerer) *State {
	s := &State{
		identity: identity, reason: "starting", dependencies: map[string]dependency{},
		up: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "dependency_up", Help: "Whether the last call to a dependency worked.",
		}, []string{"name"}),
	}
	metrics.MustRegister(s.up)
	return s
}

// Ready lets traffic in.
func (s *State) Ready() { s.set(true, "") }

// Drain asks callers to go elsewhere.
func (s *State) Drain() { s.set(false, "draining") }

func (s *State) set(ready bool, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready, s.reason = ready, reason
}

// Report remembers the outcome of the last call to a dependency; nil means that it worked.
func (s *State) Report(name string, err error) {
	state, value := dependency{Up: true}, 1.0
	if err != nil {
		state, value = dependency{Error: err.Error()}, 0
	}
	s.mu.Lock()
	s.dependencies[name] = state
	s.mu.Unlock()
	s.up.WithLabelValues(name).Set(value)
}

// Register adds /livez, /readyz and /statusz.
func (s *State) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { write(w, http.StatusOK, []byte("ok\n")) })
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.HandleFunc("GET /statusz", s.statusz)
}

func (s *State) readyz(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	ready, reason := s.ready, s.reason
	s.mu.Unlock()
	if !ready {
		write(w, http.StatusServiceUnavailable, []byte(reason+"\n"))
		return
	}
	write(w, http.StatusOK, []byte("ok\n"))
}

func (s *State) statusz(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	report := map[string]any{"ready": s.ready, "reason": s.reason, "dependencies": s.dependencies}
	for key, value := range s.identity {
		report[key] = value
	}
	body, err := json.MarshalIndent(report, "", "  ")
	s.mu.Unlock()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	write(w, http.StatusOK, append(body, '\n'))
}

// write ignores errors: whoever asked has gone.
func write(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
