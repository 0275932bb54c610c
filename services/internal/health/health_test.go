package health_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/streamplane/streamplane/services/internal/health"
)

func TestProbes(t *testing.T) {
	cases := map[string]struct {
		change       func(*health.State)
		ready, alive int
	}{
		"starting":             {change: func(*health.State) {}, ready: 503, alive: 200},
		"ready":                {change: (*health.State).Ready, ready: 200, alive: 200},
		"draining":             {change: func(s *health.State) { s.Ready(); s.Drain() }, ready: 503, alive: 200},
		"a dependency is down": {change: func(s *health.State) { s.Ready(); s.Report("media", errors.New("away")) }, ready: 200, alive: 200},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			state := health.New(nil, prometheus.NewRegistry())
			c.change(state)
			if ready, alive := ask(t, state, "/readyz").Code, ask(t, state, "/livez").Code; ready != c.ready || alive != c.alive {
				t.Errorf("ready %d, alive %d, want %d and %d", ready, alive, c.ready, c.alive)
			}
		})
	}
}

func TestStatus(t *testing.T) {
	state := health.New(map[string]string{"service": "demo", "version": "1"}, prometheus.NewRegistry())
	state.Ready()
	state.Report("media", nil)
	state.Report("streaming", errors.New("away"))
	var got map[string]any
	if err := json.Unmarshal(ask(t, state, "/statusz").Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"service": "demo", "version": "1", "ready": true, "reason": "",
		"dependencies": map[string]any{
			"media":     map[string]any{"up": true},
			"streaming": map[string]any{"up": false, "error": "away"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
}

func ask(t *testing.T, state *health.State, path string) *httptest.ResponseRecorder {
	t.Helper()
	mux := http.NewServeMux()
	state.Register(mux)
	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody))
	return answer
}
