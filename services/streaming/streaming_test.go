package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/streamplane/streamplane/services/internal/health"
	"github.com/streamplane/streamplane/services/internal/hls"
	"github.com/streamplane/streamplane/services/internal/mp4/mp4test"
	"github.com/streamplane/streamplane/services/internal/object"
	"github.com/streamplane/streamplane/services/internal/telemetry"
)

// segmentBytes is what the one segment of the test asset holds.
var segmentBytes = mp4test.Fragment(0, 100, 512, mp4test.KeyFrame)

// mediaFolder holds the asset demo, an asset with broken facts and one that is still being written.
func mediaFolder(t *testing.T) string {
	t.Helper()
	media := hls.Media{Init: "init.mp4", Segments: []hls.Segment{{URI: "s1.m4s", Duration: 4 * time.Second, Bytes: int64(len(segmentBytes))}}}
	files := map[string][]byte{
		"demo/asset.json":         []byte(`{"id":"demo","title":"Demo","durationSeconds":4,"frames":100}`),
		"demo/master.m3u8":        hls.Master{Variants: []hls.Variant{{URI: "720p-1/index.m3u8", Codec: "avc1.64001f"}}}.Encode(),
		"demo/720p-1/index.m3u8":  media.Encode(),
		"demo/720p-1/init.mp4":    mp4test.VideoInit(),
		"demo/720p-1/s1.m4s":      segmentBytes,
		"demo/720p-1/secret.txt":  []byte("not media"),
		"demo/audio-1/index.m3u8": media.Encode(),
		"demo/audio-1/init.mp4":   mp4test.AudioInit(),
		"demo/audio-1/s1.m4s":     segmentBytes,
		"broken/asset.json":       []byte(`{`),
		"other/asset.json":        []byte(`{"id":"demo"}`),
		"early/720p-1/s1.m4s":     segmentBytes,
	}
	folder := t.TempDir()
	for name, data := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// service is streaming without its ports.
type service struct {
	origin  *origin
	handler http.Handler
	reports *telemetry.Telemetry
	log     *bytes.Buffer
	now     time.Time
}

func newService(t *testing.T, store object.Store) *service {
	t.Helper()
	s := &service{log: &bytes.Buffer{}, now: time.Unix(1000, 0)}
	reports, err := telemetry.New(t.Context(), telemetry.Identity{Service: "streaming", LogLevel: "warn"}, s.log)
	if err != nil {
		t.Fatal(err)
	}
	s.reports = reports
	s.origin = newOrigin(store, reports, health.New(nil, reports.Metrics), func() time.Time { return s.now })
	s.handler = reports.Requests(s.origin.routes())
	return s
}

func folderService(t *testing.T) *service {
	t.Helper()
	store, err := object.OpenFolder(mediaFolder(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return newService(t, store)
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

func TestServesEachKindOfFile(t *testing.T) {
	s := folderService(t)
	cases := map[string]struct{ contentType, cacheControl string }{
		"/v/demo/master.m3u8":        {contentType: playlistType, cacheControl: cacheBriefly},
		"/v/demo/720p-1/index.m3u8":  {contentType: playlistType, cacheControl: cacheForEver},
		"/v/demo/720p-1/init.mp4":    {contentType: "video/mp4", cacheControl: cacheForEver},
		"/v/demo/720p-1/s1.m4s":      {contentType: "video/mp4", cacheControl: cacheForEver},
		"/v/demo/audio-1/init.mp4":   {contentType: "audio/mp4", cacheControl: cacheForEver},
		"/v/demo/audio-1/s1.m4s?x=1": {contentType: "audio/mp4", cacheControl: cacheForEver},
	}
	for path, want := range cases {
		t.Run(path, func(t *testing.T) {
			got := s.do(http.MethodGet, path, nil)
			whole := got.Body
			if got.StatusCode != http.StatusOK || whole == "" {
				t.Fatalf("status %d, %d bytes", got.StatusCode, len(whole))
			}
			header := map[string]string{}
			for _, key := range []string{"Content-Type", "Cache-Control", "Accept-Ranges", "Access-Control-Allow-Origin", "X-Content-Type-Options"} {
				header[key] = got.Header.Get(key)
			}
			wantHeader := map[string]string{
				"Content-Type": want.contentType, "Cache-Control": want.cacheControl, "Accept-Ranges": "bytes",
				"Access-Control-Allow-Origin": "*", "X-Content-Type-Options": "nosniff",
			}
			if diff := cmp.Diff(wantHeader, header); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
			head := s.do(http.MethodHead, path, nil)
			if empty := head.Body; empty != "" || head.StatusCode != http.StatusOK || head.Header.Get("Content-Length") != got.Header.Get("Content-Length") {
				t.Errorf("HEAD: status %d, length %s, body %q", head.StatusCode, head.Header.Get("Content-Length"), empty)
			}
		})
	}
}

func TestRangesAndConditions(t *testing.T) {
	s := folderService(t)
	const path = "/v/demo/720p-1/s1.m4s"
	first := s.do(http.MethodGet, path, nil)
	whole, etag := first.Body, first.Header.Get("Etag")
	if whole != string(segmentBytes) || etag == "" {
		t.Fatalf("segment differs, or ETag %q is empty", etag)
	}
	size := len(whole)
	cases := map[string]struct {
		header http.Header
		status int
		body   string
		rng    string
	}{
		"first bytes":            {header: http.Header{"Range": {"bytes=0-3"}}, status: 206, body: whole[:4], rng: "bytes 0-3/"},
		"from an offset":         {header: http.Header{"Range": {"bytes=10-"}}, status: 206, body: whole[10:], rng: "bytes 10-"},
		"last bytes":             {header: http.Header{"Range": {"bytes=-5"}}, status: 206, body: whole[size-5:]},
		"beyond the end":         {header: http.Header{"Range": {"bytes=99999-"}}, status: 416, rng: "bytes */"},
		"nonsense":               {header: http.Header{"Range": {"bytes=x-y"}}, status: 416},
		"end is cut":             {header: http.Header{"Range": {"bytes=10-99999"}}, status: 206, body: whole[10:]},
		"same version":           {header: http.Header{"If-None-Match": {etag}}, status: 304},
		"one of several":         {header: http.Header{"If-None-Match": {`"x", ` + etag}}, status: 304},
		"another version":        {header: http.Header{"If-None-Match": {`"x"`}}, status: 200, body: whole},
		"range of same version":  {header: http.Header{"Range": {"bytes=0-3"}, "If-Range": {etag}}, status: 206, body: whole[:4]},
		"range of other version": {header: http.Header{"Range": {"bytes=0-3"}, "If-Range": {`"x"`}}, status: 200, body: whole},
		"must be this version":   {header: http.Header{"If-Match": {`"x"`}}, status: 412},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := s.do(http.MethodGet, path, c.header)
			content := got.Body
			if got.StatusCode != c.status || c.status < 400 && content != c.body {
				t.Errorf("status %d with %d bytes, want %d with %d", got.StatusCode, len(content), c.status, len(c.body))
			}
			if !strings.HasPrefix(got.Header.Get("Content-Range"), c.rng) {
				t.Errorf("Content-Range %q, want %q", got.Header.Get("Content-Range"), c.rng)
			}
			if c.status == 304 && got.Header.Get("Etag") != etag {
				t.Errorf("a 304 without the ETag: %q", got.Header.Get("Etag"))
			}
		})
	}
}

func TestNotServed(t *testing.T) {
	s := folderService(t)
	cases := map[string]struct {
		method, path string
		status       int
	}{
		"unknown asset":         {path: "/v/nothing/master.m3u8", status: 404},
		"unknown rendition":     {path: "/v/demo/nothing/index.m3u8", status: 404},
		"unknown segment":       {path: "/v/demo/720p-1/s99.m4s", status: 404},
		"file that is no media": {path: "/v/demo/720p-1/secret.txt", status: 404},
		"facts":                 {path: "/v/demo/asset.json", status: 404},
		"encoded traversal":     {path: "/v/%2e%2e/%2e%2e/index.m3u8", status: 404},
		"encoded slash":         {path: "/v/..%2fdemo/master.m3u8", status: 404},
		"hidden asset":          {path: "/v/.demo/master.m3u8", status: 404},
		"NUL":                   {path: "/v/demo%00/master.m3u8", status: 404},
		"very long name":        {path: "/v/" + strings.Repeat("x", 5000) + "/master.m3u8", status: 404},
		"root":                  {path: "/", status: 404},
		"writing":               {method: http.MethodPut, path: "/v/demo/master.m3u8", status: 405},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if c.method == "" {
				c.method = http.MethodGet
			}
			got := s.do(c.method, c.path, nil)
			var failure struct {
				Error struct{ Code, Message string }
			}
			if err := json.Unmarshal([]byte(got.Body), &failure); err != nil || failure.Error.Message == "" {
				t.Errorf("body does not say what is wrong: %+v, %v", failure, err)
			}
			if got.StatusCode != c.status || got.Header.Get("Access-Control-Allow-Origin") != "*" || got.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("status %d, want %d; headers %v", got.StatusCode, c.status, got.Header)
			}
		})
	}
	if s.log.Len() > 0 {
		t.Errorf("mistakes of clients were logged as ours:\n%s", s.log)
	}
}

func TestPreflight(t *testing.T) {
	got := folderService(t).do(http.MethodOptions, "/v/demo/720p-1/s1.m4s", http.Header{"Origin": {"https://elsewhere.example"}})
	if got.StatusCode != http.StatusNoContent || !strings.Contains(got.Header.Get("Access-Control-Allow-Headers"), "Range") {
		t.Errorf("status %d, headers %v", got.StatusCode, got.Header)
	}
}

func TestListsWholeAssetsOnly(t *testing.T) {
	s := folderService(t)
	got := s.do(http.MethodGet, "/assets", nil)
	const want = `[{"id":"demo","title":"Demo","durationSeconds":4,"manifest":"/v/demo/master.m3u8"}]` + "\n"
	if list := got.Body; list != want {
		t.Errorf("assets %s, want %s", list, want)
	}
	for _, left := range []string{"broken", "other", "early"} {
		if !strings.Contains(s.log.String(), left) {
			t.Errorf("the log does not say why %s was left out", left)
		}
	}
}

// brokenStore fails like a store that is down, after having worked for a while.
type brokenStore struct {
	object.Store
	broken bool
}

func (b *brokenStore) Open(ctx context.Context, name string) (*object.Object, error) {
	if b.broken {
		return nil, errors.New("store is down")
	}
	return b.Store.Open(ctx, name)
}

func (b *brokenStore) Folders(ctx context.Context) ([]string, error) {
	if b.broken {
		return nil, errors.New("store is down")
	}
	return b.Store.Folders(ctx)
}

func TestStoreDown(t *testing.T) {
	folder, err := object.OpenFolder(mediaFolder(t))
	if err != nil {
		t.Fatal(err)
	}
	store := &brokenStore{Store: folder, broken: true}
	s := newService(t, store)
	for _, path := range []string{"/v/demo/master.m3u8", "/assets"} {
		got := s.do(http.MethodGet, path, nil)
		message := got.Body
		if got.StatusCode != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" {
			t.Errorf("%s: status %d, Retry-After %q", path, got.StatusCode, got.Header.Get("Retry-After"))
		}
		if strings.Contains(message, "store is down") {
			t.Errorf("%s: the client sees our inner error: %s", path, message)
		}
	}
	if err := testutil.GatherAndCompare(s.reports.Metrics, strings.NewReader("# HELP dependency_up Whether the last call to a dependency worked.\n# TYPE dependency_up gauge\ndependency_up{name=\"media\"} 0\n"), "dependency_up"); err != nil {
		t.Error(err)
	}
	store.broken = false
	if got := s.do(http.MethodGet, "/v/demo/master.m3u8", nil); got.StatusCode != http.StatusOK {
		t.Errorf("status %d after the store came back", got.StatusCode)
	}
}

func TestTruncatedWhileServed(t *testing.T) {
	store, err := object.OpenFolder(mediaFolder(t))
	if err != nil {
		t.Fatal(err)
	}
	s := newService(t, shrinking{store})
	server := httptest.NewServer(s.handler)
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/v/demo/720p-1/s1.m4s", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if data, err := io.ReadAll(response.Body); err == nil {
		t.Errorf("got %d bytes that look whole", len(data))
	}
}

// shrinking gives files that end sooner than they say.
type shrinking struct{ object.Store }

func (s shrinking) Open(ctx context.Context, name string) (*object.Object, error) {
	opened, err := s.Store.Open(ctx, name)
	if err == nil {
		opened.Content = &short{ReadSeekCloser: opened.Content, left: 20}
	}
	return opened, err
}

type short struct {
	io.ReadSeekCloser
	left int
}

func (s *short) Read(into []byte) (int, error) {
	if s.left == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := s.ReadSeekCloser.Read(into[:min(len(into), s.left)])
	s.left -= n
	return n, err
}

func TestMetrics(t *testing.T) {
	s := folderService(t)
	for range 3 {
		s.do(http.MethodGet, "/v/demo/720p-1/s1.m4s", nil)
	}
	s.do(http.MethodHead, "/v/demo/720p-1/s1.m4s", nil)
	if got, want := testutil.ToFloat64(s.origin.metrics.egress), float64(3*len(segmentBytes)); got != want {
		t.Errorf("egress of %v bytes, want %v", got, want)
	}
	if n := testutil.CollectAndCount(s.origin.metrics.segmentSeconds); n != 1 {
		t.Errorf("%d segment series", n)
	}
}

func TestSessionsAreDistinctViewersOfTheLastSeconds(t *testing.T) {
	s := folderService(t)
	watch := func(header http.Header) { s.do(http.MethodGet, "/v/demo/720p-1/s1.m4s", header) }
	watch(http.Header{"Cmcd-Session": {`cid="x",sid="one"`}})
	watch(http.Header{"Cmcd-Session": {`sid="one"`}})
	watch(http.Header{"Cmcd-Session": {`sid="two"`}})
	watch(http.Header{"X-Forwarded-For": {"192.0.2.7, 10.0.0.1"}})
	watch(http.Header{"X-Forwarded-For": {"192.0.2.7, 10.0.0.2"}})
	if n := s.origin.sessions.count(); n != 3 {
		t.Errorf("%d sessions, want 3", n)
	}
	s.now = s.now.Add(20 * time.Second)
	watch(http.Header{"Cmcd-Session": {`sid="two"`}})
	s.now = s.now.Add(20 * time.Second)
	if n := s.origin.sessions.count(); n != 1 {
		t.Errorf("%d sessions after a while, want 1", n)
	}
}

func TestSessionsAreBounded(t *testing.T) {
	now := time.Unix(0, 0)
	s := newSessions(func() time.Time { return now })
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
	for i := range maxSessions + 10 {
		request.Header.Set("X-Forwarded-For", time.Duration(i).String())
		s.seen(request)
	}
	if n := s.count(); n != maxSessions {
		t.Errorf("%d sessions, want %d", n, maxSessions)
	}
	now = now.Add(time.Minute)
	s.seen(request)
	if n := s.count(); n != 1 {
		t.Errorf("%d sessions after a minute, want 1", n)
	}
}

func TestSettings(t *testing.T) {
	s := defaults()
	env := map[string]string{"MEDIA_URL": "s3://bucket?endpoint=http://127.0.0.1:9000", "SERVICE_VERSION": "0.1.0"}
	if err := s.parse(nil, func(name string) string { return env[name] }, io.Discard); err != nil {
		t.Fatal(err)
	}
	if s.mediaURL != env["MEDIA_URL"] || s.identity.Version != "0.1.0" || s.serve.DrainTime != time.Minute {
		t.Errorf("settings %+v", s)
	}
	if err := run(t.Context(), []string{"--media-url=ftp://x"}, func(string) string { return "" }); err == nil || !strings.Contains(err.Error(), "MEDIA_URL") {
		t.Errorf("error %v does not name the setting", err)
	}
}
