package telemetry_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/streamplane/streamplane/services/internal/telemetry"
)

func newReports(t *testing.T, level string) (*telemetry.Telemetry, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	reports, err := telemetry.New(t.Context(), telemetry.Identity{Service: "demo", Version: "1", Pod: "demo-1", LogLevel: level}, &log)
	if err != nil {
		t.Fatal(err)
	}
	return reports, &log
}

func routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /fine/{id}", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "fine") })
	mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) { panic("boom") })
	mux.HandleFunc("GET /late", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 8192))
		panic("too late")
	})
	mux.HandleFunc("GET /abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	return mux
}

func TestRequestsAreCountedByRoute(t *testing.T) {
	reports, _ := newReports(t, "error")
	handler := reports.Requests(routes())
	for _, path := range []string{"/fine/1", "/fine/2", "/nothing"} {
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody))
	}
	want := `
# HELP http_server_requests_total Requests by route and status code.
# TYPE http_server_requests_total counter
http_server_requests_total{code="200",route="GET /fine/{id}"} 2
http_server_requests_total{code="404",route="none"} 1
`
	if err := testutil.GatherAndCompare(reports.Metrics, strings.NewReader(want), "http_server_requests_total"); err != nil {
		t.Error(err)
	}
}

func TestPanics(t *testing.T) {
	reports, log := newReports(t, "error")
	server := httptest.NewServer(reports.Requests(routes()))
	defer server.Close()
	get := func(path string) (*http.Response, error) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, http.NoBody)
		if err != nil {
			return nil, err
		}
		return http.DefaultClient.Do(request)
	}
	response, err := get("/panic")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusInternalServerError || !strings.Contains(log.String(), "boom") {
		t.Errorf("status %d, log %s", response.StatusCode, log.String())
	}
	for _, path := range []string{"/late", "/abort"} {
		response, err := get(path)
		if err != nil {
			continue
		}
		if _, err := io.ReadAll(response.Body); err == nil {
			t.Errorf("%s: the broken answer looks whole", path)
		}
		_ = response.Body.Close()
	}
}

func TestEqualErrorsAreSampled(t *testing.T) {
	reports, log := newReports(t, "info")
	for range 1000 {
		reports.Log.Error("Same trouble", "error", errors.New("again"))
	}
	reports.Log.Error("Other trouble")
	lines := strings.Count(log.String(), "\n")
	if lines < 2 || lines > 50 || !strings.Contains(log.String(), "Other trouble") {
		t.Errorf("1001 errors made %d lines", lines)
	}
	var first map[string]any
	if err := json.Unmarshal([]byte(strings.SplitN(log.String(), "\n", 2)[0]), &first); err != nil || first["service"] != "demo" || first["pod"] != "demo-1" {
		t.Errorf("first line %v, %v", first, err)
	}
}

// sendfile works only when the connection itself is asked to read from the file.
func TestRecorderPassesFilesOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, bytes.Repeat([]byte("x"), 1<<16), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	below := &readerFrom{ResponseWriter: httptest.NewRecorder()}
	recorder := telemetry.Record(telemetry.Record(below))
	if _, err := io.CopyN(recorder, file, 1<<16); err != nil {
		t.Fatal(err)
	}
	limited, ok := below.source.(*io.LimitedReader)
	if !ok || limited.R != io.Reader(file) {
		t.Errorf("the connection was given a %T", below.source)
	}
	if recorder.Bytes() != 1<<16 || recorder.Status() != http.StatusOK {
		t.Errorf("recorded %d bytes and status %d", recorder.Bytes(), recorder.Status())
	}
}

type readerFrom struct {
	http.ResponseWriter
	source io.Reader
}

func (r *readerFrom) ReadFrom(source io.Reader) (int64, error) {
	r.source = source
	return io.Copy(io.Discard, source)
}

func TestTracesAreSentAndPassedOn(t *testing.T) {
	received := make(chan string, 8)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { received <- r.URL.Path }))
	defer collector.Close()
	var log bytes.Buffer
	reports, err := telemetry.New(t.Context(), telemetry.Identity{Service: "demo", LogLevel: "debug", TraceEndpoint: collector.URL}, &log)
	if err != nil {
		t.Fatal(err)
	}
	parents := make(chan string, 1)
	callee := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { parents <- r.Header.Get("Traceparent") }))
	defer callee.Close()
	client := &http.Client{Transport: reports.Transport(http.DefaultTransport)}
	handler := reports.Requests(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, callee.URL, http.NoBody)
		if err != nil {
			t.Error(err)
			return
		}
		if response, err := client.Do(request); err == nil {
			_ = response.Body.Close()
		}
	}))
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
	request.Header.Set("Traceparent", "00-"+trace+"-00f067aa0ba902b7-01")
	handler.ServeHTTP(httptest.NewRecorder(), request)
	if parent := <-parents; !strings.Contains(parent, trace) {
		t.Errorf("callee got traceparent %q, want trace %s", parent, trace)
	}
	if !strings.Contains(log.String(), trace) {
		t.Errorf("the log does not name the trace:\n%s", log.String())
	}
	if err := reports.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if path := <-received; path != "/v1/traces" {
		t.Errorf("spans went to %s", path)
	}
}
