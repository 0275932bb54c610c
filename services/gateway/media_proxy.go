package main

import (
	"net/http"
	"net/http/httputil"
	"net/url"

	"github.com/streamplane/streamplane/services/internal/answer"
	"github.com/streamplane/streamplane/services/internal/health"
)

// newMediaProxy passes /v/ through unchanged: ranges, conditions, HEAD and preflights are streaming's business.
func newMediaProxy(streaming *url.URL, transport http.RoundTripper, handlers answer.Handlers, state *health.State) http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(streaming)
			r.SetXForwarded()
			r.Out.Header.Del("Cookie") // streaming needs none
		},
		Transport:  transport,
		BufferPool: newBuffers(),
		ModifyResponse: func(*http.Response) error {
			state.Report("streaming", nil)
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() == nil {
				state.Report("streaming", err)
			}
			w.Header().Set("Access-Control-Allow-Origin", "*") // players elsewhere should see the status, not a CORS error
			handlers.Fail(w, r, answer.Unavailable("the video is resting, please try again in a moment", err))
		},
	}
	return proxy
}
