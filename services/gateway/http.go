package main

import (
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/streamplane/streamplane/services/internal/answer"
	"github.com/streamplane/streamplane/services/internal/health"
)

// edge is what viewers talk to.
type edge struct {
	pages    *pages
	media    http.Handler
	assets   *assetList
	handlers answer.Handlers
}

// edgeReports is what the edge reports with, and the clock it reads.
type edgeReports struct {
	log   *slog.Logger
	state *health.State
	now   func() time.Time
}

func newEdge(pages *pages, streaming *url.URL, transport http.RoundTripper, reports edgeReports) *edge {
	handlers := answer.Handlers{Log: reports.log}
	return &edge{
		pages: pages, handlers: handlers,
		media:  newMediaProxy(streaming, transport, handlers, reports.state),
		assets: newAssetList(streaming, transport, reports),
	}
}

// routes is everything that gateway answers; GET includes HEAD.
func (e *edge) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/v/", e.media)
	for pattern, handler := range map[string]answer.Handler{
		"GET /{$}":              e.getPage,
		"GET /assets/{path...}": e.getStatic,
		"GET /{file}":           e.getStatic,
		"GET /api/assets":       e.getAssets,
		"/":                     e.notFound,
	} {
		mux.Handle(pattern, secure(e.handlers.Wrap(handler)))
	}
	return mux
}

func (e *edge) notFound(_ http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return &answer.Error{Status: http.StatusMethodNotAllowed, Code: "method_not_allowed", Message: "only GET and HEAD are served here"}
	}
	return answer.NotFound("nothing is served at %s", r.URL.Path)
}
