package serve

import "net/http"

// Probes adds the health endpoints.
type Probes interface{ Register(mux *http.ServeMux) }

// Admin is the handler of the second port.
func Admin(probes Probes, metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	probes.Register(mux)
	mux.Handle("GET /metrics", metrics)
	return mux
}
