package telemetry

import (
	"context"
	"fmt"
	"net/http"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// tracing is empty when no collector is set.
type tracing struct{ provider *sdktrace.TracerProvider }

func startTracing(ctx context.Context, identity Identity) (tracing, error) {
	if identity.TraceEndpoint == "" {
		return tracing{}, nil
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(identity.TraceEndpoint+"/v1/traces"))
	if err != nil {
		return tracing{}, fmt.Errorf("set up the trace exporter: %w", err)
	}
	return tracing{provider: sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(identity.resource()))}, nil
}

func (i *Identity) resource() *resource.Resource {
	return resource.NewSchemaless(
		attribute.String("service.name", i.Service), attribute.String("service.version", i.Version),
		attribute.String("k8s.pod.name", i.Pod), attribute.String("k8s.namespace.name", i.Namespace))
}

func (t tracing) close(ctx context.Context) error {
	if t.provider == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

func (t tracing) options() []otelhttp.Option {
	return []otelhttp.Option{otelhttp.WithTracerProvider(t.provider), otelhttp.WithPropagators(propagation.TraceContext{})}
}

func (t tracing) handler(next http.Handler) http.Handler {
	if t.provider == nil {
		return next
	}
	return otelhttp.NewHandler(next, "request", t.options()...)
}

// Transport traces outgoing requests and passes traceparent on.
func (t *Telemetry) Transport(next http.RoundTripper) http.RoundTripper {
	if t.tracing.provider == nil {
		return next
	}
	return otelhttp.NewTransport(next, t.tracing.options()...)
}
