// Package telemetry gives a service its log, its metrics and its traces.
package telemetry

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/streamplane/streamplane/services/internal/config"
)

// Identity tells pods of services apart.
type Identity struct {
	Service, Version, Pod, Namespace string
	LogLevel                         string
	// TraceEndpoint is the OTLP/HTTP base URL; empty turns traces off.
	TraceEndpoint string
}

// Register adds the settings; the operator sets their variables.
func (i *Identity) Register(set *config.Set) {
	set.String(&i.Service, "service-name", "name in logs, metrics and traces")
	set.String(&i.Version, "service-version", "release in logs, metrics and traces")
	set.String(&i.Pod, "pod-name", "pod in logs and traces")
	set.String(&i.Namespace, "pod-namespace", "namespace in logs and traces")
	set.String(&i.LogLevel, "log-level", "debug, info, warn or error")
	set.String(&i.TraceEndpoint, "otel-exporter-otlp-endpoint", "URL of an OpenTelemetry collector (OTLP over HTTP), empty for none")
	set.Check("log-level", func() error {
		var level slog.Level
		if level.UnmarshalText([]byte(i.LogLevel)) != nil {
			return fmt.Errorf("use debug, info, warn or error")
		}
		return nil
	})
}

// Describe is the identity as it is shown to people.
func (i *Identity) Describe() map[string]string {
	return map[string]string{"service": i.Service, "version": i.Version, "pod": i.Pod, "namespace": i.Namespace}
}

// Telemetry is what a service reports with.
type Telemetry struct {
	Log     *slog.Logger
	Metrics *prometheus.Registry
	tracing tracing
}

// New starts reporting; Close flushes it.
func New(ctx context.Context, identity Identity, out io.Writer) (*Telemetry, error) {
	metrics := prometheus.NewRegistry()
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "service_info", Help: "Always 1; the labels say what runs.",
		ConstLabels: prometheus.Labels{"service": identity.Service, "version": identity.Version},
	})
	info.Set(1)
	metrics.MustRegister(info, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	traces, err := startTracing(ctx, identity)
	if err != nil {
		return nil, err
	}
	return &Telemetry{Log: newLog(identity, out), Metrics: metrics, tracing: traces}, nil
}

// MetricsHandler serves the metrics to Prometheus.
func (t *Telemetry) MetricsHandler() http.Handler {
	return promhttp.HandlerFor(t.Metrics, promhttp.HandlerOpts{EnableOpenMetrics: true})
}

// Close sends what is left to send.
func (t *Telemetry) Close(ctx context.Context) error { return t.tracing.close(ctx) }
