package answer_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/streamplane/streamplane/services/internal/answer"
)

func TestErrors(t *testing.T) {
	cases := map[string]struct {
		err    error
		status int
		body   string
		retry  string
		logged string
	}{
		"not found": {
			err: answer.NotFound("there is no %s", "<moon>"), status: 404,
			body: `{"error":{"code":"not_found","message":"there is no <moon>"}}`,
		},
		"unavailable": {
			err: fmt.Errorf("wrapped: %w", answer.Unavailable("resting", errors.New("secret cause"))), status: 503,
			body: `{"error":{"code":"unavailable","message":"resting"}}`, retry: "2", logged: "secret cause",
		},
		"anything else": {
			err: errors.New("secret cause"), status: 500,
			body: `{"error":{"code":"internal","message":"something went wrong on our side"}}`, logged: "secret cause",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			handlers := answer.Handlers{Log: slog.New(slog.NewTextHandler(&log, nil))}
			got := httptest.NewRecorder()
			handler := handlers.Wrap(func(w http.ResponseWriter, _ *http.Request) error {
				w.Header().Set("Etag", `"of the good answer"`)
				return c.err
			})
			handler.ServeHTTP(got, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/x", http.NoBody))
			if got.Code != c.status || strings.TrimSpace(got.Body.String()) != c.body {
				t.Errorf("status %d, body %s, want %d, %s", got.Code, got.Body, c.status, c.body)
			}
			if got.Header().Get("Retry-After") != c.retry || got.Header().Get("Cache-Control") != "no-store" || got.Header().Get("Etag") != "" {
				t.Errorf("headers %v", got.Header())
			}
			if (c.logged == "") != (log.Len() == 0) || !strings.Contains(log.String(), c.logged) {
				t.Errorf("log %q, want %q in it", log.String(), c.logged)
			}
		})
	}
}
