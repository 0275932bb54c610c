package telemetry

import (
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
)

// requests counts, times and logs what a ServeMux serves.
type requests struct {
	log      *slog.Logger
	served   *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge
}

// Requests wraps the routes of a service: metrics per route, a debug line per request, and a panic is a 500.
func (t *Telemetry) Requests(routes http.Handler) http.Handler {
	r := &requests{
		log: t.Log,
		served: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "http_server_requests_total", Help: "Requests by route and status code.",
		}, []string{"route", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "http_server_request_seconds", Help: "Time to serve a request, by route.",
			Buckets:                     []float64{.001, .005, .025, .1, .25, 1, 2.5, 10, 60},
			NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 100,
		}, []string{"route"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "http_server_active_requests", Help: "Requests being served now.",
		}),
	}
	t.Metrics.MustRegister(r.served, r.duration, r.inFlight)
	return t.tracing.handler(r.handler(routes))
}

func (q *requests) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q.inFlight.Inc()
		defer q.inFlight.Dec()
		recorder := Record(w)
		timer := prometheus.NewTimer(prometheus.ObserverFunc(func(seconds float64) { q.report(recorder, r, seconds) }))
		defer timer.ObserveDuration()
		defer q.recoverPanic(recorder, r)
		next.ServeHTTP(recorder, r)
	})
}

// report runs after the mux, which has set the pattern of r by then.
func (q *requests) report(w *Recorder, r *http.Request, seconds float64) {
	route := r.Pattern
	if route == "" {
		route = "none"
	}
	q.served.WithLabelValues(route, strconv.Itoa(w.Status())).Inc()
	q.duration.WithLabelValues(route).Observe(seconds)
	trace.SpanFromContext(r.Context()).SetName(route)
	q.log.DebugContext(r.Context(), "Request", "method", r.Method, "path", r.URL.Path, "status", w.Status(),
		"bytes", w.Bytes(), "seconds", seconds, "client", r.RemoteAddr)
}

func (q *requests) recoverPanic(w *Recorder, r *http.Request) {
	problem := recover()
	if problem == nil {
		return
	}
	if err, ok := problem.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(problem) // the server closes the connection, as the handler wants
	}
	q.log.ErrorContext(r.Context(), "Handler panicked", "path", r.URL.Path, "panic", problem, "stack", string(debug.Stack()))
	if w.status != 0 {
		panic(http.ErrAbortHandler) // too late for a status: cut the connection so the client notices
	}
	http.Error(w, "something went wrong on our side", http.StatusInternalServerError)
}
