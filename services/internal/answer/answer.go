// Package answer turns what a handler returns into a response: errors in one JSON shape, values as JSON.
package answer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"
)

// Error is an error that the client may see.
type Error struct {
	Status     int           `json:"-"`
	Code       string        `json:"code"`
	Message    string        `json:"message"`
	RetryAfter time.Duration `json:"-"`
	// Cause is for the log only.
	Cause error `json:"-"`
}

func (e *Error) Error() string {
	if e.Cause == nil {
		return e.Message
	}
	return fmt.Sprintf("%s: %s", e.Message, e.Cause)
}

func (e *Error) Unwrap() error { return e.Cause }

// NotFound is the failure for a thing that does not exist.
func NotFound(format string, args ...any) *Error {
	return &Error{Status: http.StatusNotFound, Code: "not_found", Message: fmt.Sprintf(format, args...)}
}

// Unavailable is the failure for a thing that should be asked for again soon.
func Unavailable(message string, cause error) *Error {
	return &Error{Status: http.StatusServiceUnavailable, Code: "unavailable", Message: message, RetryAfter: 2 * time.Second, Cause: cause}
}

// Handler serves a request or says why not. It must not return an error after it has begun to write.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Handlers adapts handlers to net/http and logs what went wrong on our side.
type Handlers struct{ Log *slog.Logger }

// Wrap makes an http.Handler.
func (h Handlers) Wrap(serve Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := serve(w, r); err != nil {
			h.Fail(w, r, err)
		}
	})
}

// Fail writes err as the response; it is the only place where error responses are made.
func (h Handlers) Fail(w http.ResponseWriter, r *http.Request, err error) {
	var failure *Error
	if !errors.As(err, &failure) {
		failure = &Error{Status: http.StatusInternalServerError, Code: "internal", Message: "something went wrong on our side"}
	}
	if failure.Status >= http.StatusInternalServerError && !errors.Is(err, context.Canceled) {
		h.Log.ErrorContext(r.Context(), "Request failed", "path", r.URL.Path, "status", failure.Status, "error", err)
	}
	if failure.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(failure.RetryAfter.Seconds()+0.999)))
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Del("Etag")
	_ = JSON(w, failure.Status, map[string]any{"error": failure})
}

// JSON writes a value.
func JSON(w http.ResponseWriter, status int, value any) error {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // nobody may take it for HTML: nosniff
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // the client may have gone
	return nil
}
