package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/streamplane/streamplane/services/internal/answer"
	"github.com/streamplane/streamplane/services/internal/balance"
)

func TestReadRoutes(t *testing.T) {
	cases := map[string]struct {
		content string
		want    string // paths in order
		problem string
	}{
		"empty":          {"", "", ""},
		"none":           {`{"routes": []}`, "", ""},
		"longest first":  {routes("/a", "/a/b/c", "/a/b"), "/a/b/c /a/b /a", ""},
		"not JSON":       {"routes:", "", "invalid character"},
		"unknown field":  {`{"routes": [{"pth": "/a"}]}`, "", `unknown field "pth"`},
		"root":           {routes("/"), "", `path "/" belongs to gateway itself`},
		"api":            {routes("/api/search"), "", `path "/api/search" belongs to gateway itself`},
		"video":          {routes("/v"), "", `path "/v" belongs to gateway itself`},
		"relative":       {routes("a"), "", `path "a": use an absolute path such as /search`},
		"not clean":      {routes("/a/../v"), "", `use an absolute path`},
		"twice":          {routes("/a", "/a"), "", "path /a belongs to s and to s"},
		"no host":        {`{"routes": [{"path": "/a", "url": "acme"}]}`, "", `routes[0]: url "acme": use a URL such as`},
		"odd timeout":    {`{"routes": [{"path": "/a", "url": "http://a", "timeout": "3"}]}`, "", `timeout "3": use a duration such as 3s`},
		"endless":        {`{"routes": [{"path": "/a", "url": "http://a", "timeout": "6m"}]}`, "", "at most 5m"},
		"larger than is": {strings.Repeat(" ", maxRoutesBytes+1), "", "is larger than 1048576 bytes"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "routes.json")
			if err := os.WriteFile(file, []byte(tc.content), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := readRoutes(file)
			if tc.problem != "" {
				if err == nil || !strings.Contains(err.Error(), tc.problem) {
					t.Errorf("%v, want %s", err, tc.problem)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var paths []string
			for _, r := range got {
				paths = append(paths, r.Path)
			}
			if strings.Join(paths, " ") != tc.want {
				t.Errorf("%v, want %s", paths, tc.want)
			}
		})
	}
	if got, err := readRoutes(filepath.Join(t.TempDir(), "missing")); err != nil || got != nil {
		t.Errorf("a missing file gives %v, %v", got, err)
	}
}

func routes(paths ...string) string {
	var all []string
	for _, p := range paths {
		all = append(all, fmt.Sprintf(`{"service": "s", "path": %q, "url": "http://s.tv.svc:8080"}`, p))
	}
	return `{"routes": [` + strings.Join(all, ",") + `]}`
}

// routing is a router in front of a page, with its file mounted as a ConfigMap is.
type routing struct {
	*testing.T
	router  *router
	handler http.Handler
	mount   string
	version int
	log     bytes.Buffer
	metrics *prometheus.Registry
}

func newRouting(t *testing.T) *routing {
	t.Helper()
	r := &routing{T: t, mount: t.TempDir(), metrics: prometheus.NewRegistry()}
	dial := func(target *url.URL) dialed {
		return balance.New(t.Context(), balance.Config{Target: target, Now: time.Now, HeaderTimeout: time.Minute}, r.metrics)
	}
	handlers := answer.Handlers{Log: slog.New(slog.NewJSONHandler(&r.log, nil))}
	r.router = newRouter(filepath.Join(r.mount, "routes.json"), dial, handlers, r.metrics)
	r.handler = r.router.handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "page") }))
	t.Cleanup(func() { r.router.replace(nil) })
	return r
}

// write replaces the file as the kubelet does, by pointing ..data at another folder.
func (r *routing) write(content string) {
	r.Helper()
	r.version++
	folder := filepath.Join(r.mount, fmt.Sprintf("..%d", r.version))
	link := filepath.Join(r.mount, "..data_tmp")
	for _, err := range []error{
		os.Mkdir(folder, 0o700), os.WriteFile(filepath.Join(folder, "routes.json"), []byte(content), 0o600),
		os.Symlink(folder, link), os.Rename(link, filepath.Join(r.mount, "..data")),
	} {
		if err != nil {
			r.Fatal(err)
		}
	}
	if r.version == 1 {
		if err := os.Symlink(filepath.Join("..data", "routes.json"), r.router.file); err != nil {
			r.Fatal(err)
		}
	}
	r.router.refresh(r.Context())
}

func (r *routing) get(path string) *httptest.ResponseRecorder {
	request := httptest.NewRequestWithContext(r.Context(), http.MethodGet, path, http.NoBody)
	request.Header.Set("Cookie", "session=secret")
	recorder := httptest.NewRecorder()
	r.handler.ServeHTTP(recorder, request)
	return recorder
}

func (r *routing) want(path string, status int, body string) {
	r.Helper()
	got := r.get(path)
	if got.Code != status || !strings.Contains(got.Body.String(), body) {
		r.Errorf("GET %s: %d %s, want %d %s", path, got.Code, got.Body, status, body)
	}
}

// named is a service that tells its name, the path and the cookies that reach it.
func named(t *testing.T, name string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "session=mine")
		fmt.Fprintf(w, "%s %s %q %s", name, r.URL.RequestURI(), r.Header.Get("Cookie"), r.Header.Get("X-Forwarded-Host"))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestRoutesFollowTheFile(t *testing.T) {
	search, reviews := named(t, "search"), named(t, "reviews")
	to := func(path, server string) string {
		return fmt.Sprintf(`{"service": "s", "path": %q, "url": %q}`, path, server)
	}
	r := newRouting(t)
	r.router.refresh(t.Context())
	r.want("/search", 200, "page")

	r.write(`{"routes": [` + to("/search", search) + `,` + to("/search/reviews", reviews) + `]}`)
	r.want("/search?q=a%2Fb", 200, `search /search?q=a%2Fb "" example.com`)
	r.want("/search/reviews/1", 200, "reviews /search/reviews/1")
	r.want("/searching", 200, "page")
	if cookie := r.get("/search").Header().Get("Set-Cookie"); cookie != "" {
		t.Errorf("the service sets the cookie %s for all of gateway", cookie)
	}
	if n := testutil.CollectAndCount(r.metrics, "balance_endpoints"); n != 2 {
		t.Errorf("%d clients", n)
	}

	r.write(`{"routes": [` + to("/v", search) + `]}`)
	r.router.refresh(t.Context())
	r.want("/search", 200, "search")
	if said := strings.Count(r.log.String(), "Routes not changed"); said != 1 {
		t.Errorf("the log says %d times that the file is bad:\n%s", said, &r.log)
	}
	if testutil.ToFloat64(r.router.metrics.rejected) != 1 {
		t.Error("no metric says that the file is bad")
	}

	r.write(`{"routes": [` + to("/search", reviews) + `,` + to("/more", reviews) + `]}`)
	r.want("/search", 200, "reviews /search")
	r.want("/more/of/it", 200, "reviews /more/of/it")
	if n := testutil.CollectAndCount(r.metrics, "balance_endpoints"); n != 1 {
		t.Errorf("%d clients of one service", n)
	}
	if testutil.ToFloat64(r.router.metrics.rejected) != 0 || testutil.ToFloat64(r.router.metrics.routes) != 2 {
		t.Error("the metrics are wrong")
	}

	r.write(`{}`)
	r.want("/search", 200, "page")
}

func TestServiceThatDoesNotAnswer(t *testing.T) {
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow/at-first" {
			<-r.Context().Done()
			return
		}
		fmt.Fprint(w, "begun, ")
		_ = http.NewResponseController(w).Flush()
		fmt.Fprint(w, "ended")
	}))
	t.Cleanup(slow.Close)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	r := newRouting(t)
	r.write(fmt.Sprintf(`{"routes": [{"service": "slow", "path": "/slow", "url": %q, "timeout": "50ms"},
		{"service": "gone", "path": "/gone", "url": %q}]}`, slow.URL, gone.URL))
	r.want("/slow/at-first", 503, "slow does not answer, please try again in a moment")
	r.want("/slow/later", 200, "begun, ended")
	r.want("/gone", 503, "gone does not answer, please try again in a moment")
	r.want("/", 200, "page")
}
