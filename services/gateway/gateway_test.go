package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/streamplane/streamplane/services/internal/health"
	"github.com/streamplane/streamplane/services/internal/telemetry"
)

var script = strings.Repeat("console.log('hello');\n", 200)

func builtPage() fstest.MapFS {
	return fstest.MapFS{
		".gitkeep":               {},
		"index.html":             {Data: []byte("<!doctype html><title>Streamplane</title>")},
		"favicon.svg":            {Data: []byte("<svg/>")},
		"assets/index-Ab12Cd.js": {Data: []byte(script)},
	}
}

// service is gateway without its ports, in front of a streaming that tests make up.
type service struct {
	handler http.Handler
	reports *telemetry.Telemetry
	now     time.Time
	log     *bytes.Buffer
}

func newService(t *testing.T, files fstest.MapFS, streaming string, transport http.RoundTripper) *service {
	t.Helper()
	s := &service{now: time.Unix(1000, 0), log: &bytes.Buffer{}}
	reports, err := telemetry.New(t.Context(), telemetry.Identity{Service: "gateway", LogLevel: "warn"}, s.log)
	if err != nil {
		t.Fatal(err)
	}
	s.reports = reports
	loaded, err := loadPages(files)
	if err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(streaming)
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return s.now }
	edge := newEdge(loaded, target, transport, edgeReports{log: reports.Log, state: health.New(nil, reports.Metrics), now: clock})
	s.handler = reports.Requests(edge.routes())
	return s
}

// reply is a response that was read.
type reply struct {
	StatusCode int
	Header     http.Header
	Body       string
}

func (s *service) do(method, path string, header http.Header) reply {
	request := httptest.NewRequestWithContext(context.Background(), method, path, http.NoBody)
	maps.Copy(request.Header, header)
	answer := httptest.NewRecorder()
	s.handler.ServeHTTP(answer, request)
	return reply{StatusCode: answer.Code, Header: answer.Header(), Body: answer.Body.String()}
}

// nobody is a streaming that is down.
type nobody struct{}

func (nobody) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("nobody there")
}

func TestPageNeedsNobody(t *testing.T) {
	s := newService(t, builtPage(), "http://streaming.test", nobody{})
	cases := map[string]struct{ contentType, cacheControl string }{
		"/":                       {contentType: "text/html; charset=utf-8", cacheControl: "no-cache"},
		"/favicon.svg":            {contentType: "image/svg+xml", cacheControl: "public, max-age=3600"},
		"/assets/index-Ab12Cd.js": {contentType: "text/javascript; charset=utf-8", cacheControl: "public, max-age=31536000, immutable"},
	}
	for path, want := range cases {
		t.Run(path, func(t *testing.T) {
			got := s.do(http.MethodGet, path, nil)
			if content := got.Body; got.StatusCode != http.StatusOK || content == "" {
				t.Fatalf("status %d, body %q", got.StatusCode, content)
			}
			if got.Header.Get("Content-Type") != want.contentType || got.Header.Get("Cache-Control") != want.cacheControl {
				t.Errorf("headers %v", got.Header)
			}
			policy := got.Header.Get("Content-Security-Policy")
			for _, part := range []string{"default-src 'none'", "media-src 'self' blob:", "worker-src 'self' blob:", "frame-ancestors 'none'"} {
				if !strings.Contains(policy, part) {
					t.Errorf("policy has no %s: %s", part, policy)
				}
			}
			if strings.Contains(policy, "unsafe") || got.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("headers are too lenient: %v", got.Header)
			}
			again := s.do(http.MethodGet, path, http.Header{"If-None-Match": {got.Header.Get("Etag")}})
			if again.StatusCode != http.StatusNotModified {
				t.Errorf("status %d for a known version, want 304", again.StatusCode)
			}
		})
	}
}

func TestCompression(t *testing.T) {
	s := newService(t, builtPage(), "http://streaming.test", nobody{})
	const path = "/assets/index-Ab12Cd.js"
	zipped := s.do(http.MethodGet, path, http.Header{"Accept-Encoding": {"br, gzip;q=0.8"}})
	reader, err := gzip.NewReader(strings.NewReader(zipped.Body))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(reader); err != nil || string(text) != script {
		t.Errorf("unpacked %d bytes, %v, want %d", len(text), err, len(script))
	}
	plain := s.do(http.MethodGet, path, http.Header{"Accept-Encoding": {"gzip;q=0"}})
	if text := plain.Body; text != script || plain.Header.Get("Content-Encoding") != "" {
		t.Errorf("%d bytes of encoding %q, want %d plain ones", len(text), plain.Header.Get("Content-Encoding"), len(script))
	}
	if plain.Header.Get("Etag") == zipped.Header.Get("Etag") || plain.Header.Get("Vary") != "Accept-Encoding" {
		t.Errorf("caches cannot tell the two apart: %v and %v", plain.Header, zipped.Header)
	}
}

func TestPageThatWasNotBuilt(t *testing.T) {
	got := newService(t, fstest.MapFS{".gitkeep": {}}, "http://streaming.test", nobody{}).do(http.MethodGet, "/", nil)
	if text := got.Body; got.StatusCode != http.StatusServiceUnavailable || !strings.Contains(text, "npm ci && npm run build") {
		t.Errorf("status %d, body %s", got.StatusCode, text)
	}
}

func TestNotServed(t *testing.T) {
	s := newService(t, builtPage(), "http://streaming.test", nobody{})
	cases := map[string]struct {
		method, path string
		status       int
	}{
		"unknown page":  {method: http.MethodGet, path: "/nothing", status: 404},
		"unknown asset": {method: http.MethodGet, path: "/assets/nothing.js", status: 404},
		"placeholder":   {method: http.MethodGet, path: "/.gitkeep", status: 404},
		"unknown API":   {method: http.MethodGet, path: "/api/nothing", status: 404},
		"writing":       {method: http.MethodPost, path: "/api/assets", status: 405},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := s.do(c.method, c.path, nil)
			var failure struct {
				Error struct{ Code, Message string }
			}
			if err := json.Unmarshal([]byte(got.Body), &failure); err != nil || failure.Error.Code == "" || got.StatusCode != c.status {
				t.Errorf("status %d, want %d; %+v, %v", got.StatusCode, c.status, failure, err)
			}
		})
	}
}

// fakeStreaming answers like streaming, and remembers what it was asked.
type fakeStreaming struct {
	*httptest.Server
	mu       sync.Mutex
	requests []*http.Request
	down     atomic.Bool
	assets   atomic.Value
}

func newFakeStreaming(t *testing.T) *fakeStreaming {
	t.Helper()
	f := &fakeStreaming{}
	f.assets.Store(`[{"id":"demo"}]`)
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.requests = append(f.requests, r.Clone(r.Context()))
		f.mu.Unlock()
		if f.down.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		if r.URL.Path == "/assets" {
			_, _ = io.WriteString(w, f.assets.Load().(string))
			return
		}
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Cache-Control", "immutable")
		w.Header().Set("Etag", `"tag"`)
		w.Header().Set("Content-Type", "video/mp4")
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader("0123456789"))
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *fakeStreaming) asked() []*http.Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]*http.Request(nil), f.requests...)
}

func TestMediaPassesThroughUnchanged(t *testing.T) {
	streaming := newFakeStreaming(t)
	s := newService(t, builtPage(), streaming.URL, http.DefaultTransport)
	cases := map[string]struct {
		method string
		header http.Header
		status int
		body   string
	}{
		"whole":        {method: http.MethodGet, status: 200, body: "0123456789"},
		"part":         {method: http.MethodGet, header: http.Header{"Range": {"bytes=2-4"}}, status: 206, body: "234"},
		"beyond":       {method: http.MethodGet, header: http.Header{"Range": {"bytes=99-"}}, status: 416},
		"head":         {method: http.MethodHead, status: 200},
		"same version": {method: http.MethodGet, header: http.Header{"If-None-Match": {`"tag"`}}, status: 304},
		"other range":  {method: http.MethodGet, header: http.Header{"Range": {"bytes=2-4"}, "If-Range": {`"old"`}}, status: 200, body: "0123456789"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := s.do(c.method, "/v/demo/720p/s1.m4s?_HLS_skip=1", c.header)
			content := got.Body
			if got.StatusCode != c.status || c.status < 400 && content != c.body {
				t.Errorf("status %d and %q, want %d and %q", got.StatusCode, content, c.status, c.body)
			}
			if got.Header.Get("Access-Control-Allow-Origin") != "*" || got.Header.Get("Content-Security-Policy") != "" {
				t.Errorf("headers were changed: %v", got.Header)
			}
		})
	}
	for _, r := range streaming.asked() {
		if r.URL.Path != "/v/demo/720p/s1.m4s" || r.URL.RawQuery != "_HLS_skip=1" {
			t.Errorf("streaming was asked for %s", r.URL)
		}
		if r.Header.Get("X-Forwarded-For") == "" || r.Header.Get("Cookie") != "" {
			t.Errorf("streaming got the headers %v", r.Header)
		}
	}
}

func TestMediaIsStreamed(t *testing.T) {
	release := make(chan struct{})
	streaming := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, bufferBytes))
		_ = http.NewResponseController(w).Flush()
		<-release
	}))
	defer streaming.Close()
	defer close(release)
	gateway := httptest.NewServer(newService(t, builtPage(), streaming.URL, http.DefaultTransport).handler)
	defer gateway.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, gateway.URL+"/v/demo/720p/s1.m4s", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.ReadFull(response.Body, make([]byte, 1024)); err != nil {
		t.Errorf("the first bytes did not come before the last ones: %v", err)
	}
}

func TestMediaWithoutStreaming(t *testing.T) {
	s := newService(t, builtPage(), "http://streaming.test", nobody{})
	got := s.do(http.MethodGet, "/v/demo/master.m3u8", nil)
	text := got.Body
	if got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" || got.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("status %d, headers %v", got.StatusCode, got.Header)
	}
	if !strings.Contains(text, "resting") || strings.Contains(text, "nobody there") {
		t.Errorf("body %s", text)
	}
	if page := s.do(http.MethodGet, "/", nil); page.StatusCode != http.StatusOK {
		t.Errorf("the page answers %d", page.StatusCode)
	}
}

func TestAssetsAreTheLastGoodOnes(t *testing.T) {
	streaming := newFakeStreaming(t)
	s := newService(t, builtPage(), streaming.URL, http.DefaultTransport)
	type outcome struct {
		Status        int
		Body          string
		Degraded, Age string
	}
	ask := func() outcome {
		got := s.do(http.MethodGet, "/api/assets", nil)
		return outcome{got.StatusCode, strings.TrimSpace(got.Body), got.Header.Get("Streamplane-Degraded"), got.Header.Get("Age")}
	}
	expect := func(step string, want outcome) {
		t.Helper()
		if diff := cmp.Diff(want, ask()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step, diff)
		}
	}
	streaming.down.Store(true)
	if first := ask(); first.Status != http.StatusServiceUnavailable {
		t.Errorf("with nothing to show the status is %d", first.Status)
	}
	streaming.down.Store(false)
	expect("streaming is up", outcome{Status: 200, Body: `[{"id":"demo"}]`})
	streaming.assets.Store(`[]`)
	expect("within a second the answer is shared", outcome{Status: 200, Body: `[{"id":"demo"}]`})
	streaming.down.Store(true)
	s.now = s.now.Add(90 * time.Second)
	expect("streaming is down", outcome{Status: 200, Body: `[{"id":"demo"}]`, Degraded: "streaming", Age: "90"})
	if err := testutil.GatherAndCompare(s.reports.Metrics, strings.NewReader("# HELP dependency_up Whether the last call to a dependency worked.\n# TYPE dependency_up gauge\ndependency_up{name=\"streaming\"} 0\n"), "dependency_up"); err != nil {
		t.Error(err)
	}
	streaming.down.Store(false)
	expect("streaming is back", outcome{Status: 200, Body: `[]`})
	streaming.assets.Store(`<html>`)
	s.now = s.now.Add(time.Minute)
	expect("streaming talks nonsense", outcome{Status: 200, Body: `[]`, Degraded: "streaming", Age: "60"})
}

func TestManyAskForAssetsOnce(t *testing.T) {
	streaming := newFakeStreaming(t)
	s := newService(t, builtPage(), streaming.URL, http.DefaultTransport)
	var callers sync.WaitGroup
	for range 50 {
		callers.Go(func() {
			if got := s.do(http.MethodGet, "/api/assets", nil); got.StatusCode != http.StatusOK {
				t.Errorf("status %d", got.StatusCode)
			}
		})
	}
	callers.Wait()
	if n := len(streaming.asked()); n > 10 {
		t.Errorf("streaming was asked %d times", n)
	}
}

func TestSettings(t *testing.T) {
	cases := map[string]struct {
		args []string
		want string
	}{
		"fine":              {args: []string{"--streaming-url=http://acme-streaming-headless.tv.svc:8080"}},
		"no scheme":         {args: []string{"--streaming-url=streaming:8080"}, want: "use a URL such as"},
		"looks up too late": {args: []string{"--resolve-every=1m"}, want: "at most 5s"},
		"never looks up":    {args: []string{"--resolve-every=0s"}, want: "more than 0s"},
		"address":           {args: []string{"--listen=8080"}, want: "use host:port or :port"},
		"log level":         {args: []string{"--log-level=loud"}, want: "use debug, info, warn or error"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := defaults()
			err := s.parse(c.args, func(string) string { return "" }, io.Discard)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}
