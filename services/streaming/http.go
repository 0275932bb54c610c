package main

import (
	"net/http"
	"strings"
	"time"

	"github.com/streamplane/streamplane/services/internal/answer"
	"github.com/streamplane/streamplane/services/internal/health"
	"github.com/streamplane/streamplane/services/internal/object"
	"github.com/streamplane/streamplane/services/internal/telemetry"
)

// origin serves media from a store.
type origin struct {
	store    object.Store
	handlers answer.Handlers
	state    *health.State
	metrics  *metrics
	sessions *sessions
	catalog  *catalog
}

func newOrigin(store object.Store, reports *telemetry.Telemetry, state *health.State, now func() time.Time) *origin {
	sessions := newSessions(now)
	return &origin{
		store: store, state: state, handlers: answer.Handlers{Log: reports.Log},
		metrics: newMetrics(reports.Metrics, sessions), sessions: sessions,
		catalog: &catalog{store: store, log: reports.Log, now: now},
	}
}

// routes is everything that streaming answers; GET includes HEAD.
func (o *origin) routes() http.Handler {
	mux := http.NewServeMux()
	for pattern, handler := range map[string]answer.Handler{
		"GET /v/{asset}/master.m3u8":            o.getMaster,
		"GET /v/{asset}/{rendition}/index.m3u8": o.getPlaylist,
		"GET /v/{asset}/{rendition}/init.mp4":   o.getInit,
		"GET /v/{asset}/{rendition}/{segment}":  o.getSegment,
		"OPTIONS /v/":                           o.optionsMedia,
		"GET /assets":                           o.getAssets,
		"/":                                     o.notFound,
	} {
		mux.Handle(pattern, allowOrigins(o.handlers.Wrap(handler)))
	}
	return mux
}

func (o *origin) notFound(_ http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead && strings.HasPrefix(r.URL.Path, "/v/") {
		return &answer.Error{Status: http.StatusMethodNotAllowed, Code: "method_not_allowed", Message: "media can only be read"}
	}
	return answer.NotFound("nothing is served at %s", r.URL.Path)
}
