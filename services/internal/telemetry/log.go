package telemetry

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// Errors with the same message beyond this many in one window are counted, not printed.
const (
	errorsPerWindow = 20
	errorWindow     = 10 * time.Second
)

func newLog(identity Identity, out io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(identity.LogLevel)) // checked when the settings were read
	handler := &sampler{Handler: slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level}), seen: &seenMessages{counts: map[string]*messageCount{}}}
	return slog.New(handler).With("service", identity.Service, "version", identity.Version, "pod", identity.Pod)
}

// sampler adds the trace of a record and keeps a storm of equal errors short.
type sampler struct {
	slog.Handler
	seen *seenMessages
}

type seenMessages struct {
	mu     sync.Mutex
	counts map[string]*messageCount
}

type messageCount struct {
	since   time.Time
	printed int
	dropped int
}

func (s *sampler) Handle(ctx context.Context, record slog.Record) error {
	if record.Level >= slog.LevelError {
		dropped, ok := s.seen.admit(record)
		if !ok {
			return nil
		}
		if dropped > 0 {
			record.AddAttrs(slog.Int("droppedBefore", dropped))
		}
	}
	if span := trace.SpanContextFromContext(ctx); span.IsValid() {
		record.AddAttrs(slog.String("traceID", span.TraceID().String()))
	}
	return s.Handler.Handle(ctx, record)
}

// admit says whether to print, and how many equal messages were dropped since the last printed one.
// Messages are constants in our code, so the map stays small.
func (s *seenMessages) admit(record slog.Record) (dropped int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	count := s.counts[record.Message]
	if count == nil || record.Time.Sub(count.since) >= errorWindow {
		if count != nil {
			dropped = count.dropped
		}
		s.counts[record.Message] = &messageCount{since: record.Time, printed: 1}
		return dropped, true
	}
	if count.printed < errorsPerWindow {
		count.printed++
		return 0, true
	}
	count.dropped++
	return 0, false
}

func (s *sampler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &sampler{Handler: s.Handler.WithAttrs(attrs), seen: s.seen}
}

func (s *sampler) WithGroup(name string) slog.Handler {
	return &sampler{Handler: s.Handler.WithGroup(name), seen: s.seen}
}
