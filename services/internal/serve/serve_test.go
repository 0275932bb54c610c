package serve_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/streamplane/streamplane/services/internal/health"
	"github.com/streamplane/streamplane/services/internal/serve"
)

// running is a server under test.
type running struct {
	public, admin string
	stop          context.CancelFunc
	done          chan error
}

func start(t *testing.T, handler http.HandlerFunc, change func(*serve.Config)) running {
	t.Helper()
	cfg := serve.Defaults()
	cfg.Listen, cfg.AdminListen = "127.0.0.1:0", "127.0.0.1:0"
	cfg.DrainDelay = 0
	change(&cfg)
	state := health.New(map[string]string{"service": "test"}, prometheus.NewRegistry())
	handlers := serve.Handlers{Public: handler, Admin: serve.Admin(state, http.NotFoundHandler())}
	server, err := serve.Listen(t.Context(), cfg, handlers, state, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	r := running{public: "http://" + server.PublicAddr(), admin: "http://" + server.AdminAddr(), stop: stop, done: make(chan error, 1)}
	go func() { r.done <- server.Run(ctx) }()
	t.Cleanup(stop)
	r.waitFor(t, "/readyz", http.StatusOK)
	return r
}

// waitFor polls the admin port until it answers with the status.
func (r running) waitFor(t *testing.T, path string, status int) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		if response, err := get(http.DefaultClient, r.admin+path); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == status {
				return
			}
		}
	}
	t.Fatalf("%s never answered %d", path, status)
}

func (r running) ended(t *testing.T) error {
	t.Helper()
	select {
	case err := <-r.done:
		return err
	case <-time.After(20 * time.Second):
		t.Fatal("the server did not end")
		return nil
	}
}

// gate holds requests until it is opened.
type gate struct{ entered, open chan struct{} }

func newGate() gate { return gate{entered: make(chan struct{}, 8), open: make(chan struct{})} }

func (g gate) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	g.entered <- struct{}{}
	<-g.open
	_, _ = io.WriteString(w, "whole answer")
}

func get(client *http.Client, url string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	return client.Do(request)
}

type answer struct {
	body string
	err  error
}

func fetch(url string) <-chan answer {
	result := make(chan answer, 1)
	go func() {
		response, err := get(http.DefaultClient, url)
		if err != nil {
			result <- answer{err: err}
			return
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		result <- answer{body: string(body), err: err}
	}()
	return result
}

func TestDrainFinishesWhatIsInFlight(t *testing.T) {
	slow := newGate()
	server := start(t, slow.ServeHTTP, func(*serve.Config) {})
	inFlight := fetch(server.public)
	<-slow.entered
	server.stop()
	server.waitFor(t, "/readyz", http.StatusServiceUnavailable)
	server.waitFor(t, "/livez", http.StatusOK)
	waitClosed(t, server.public)
	close(slow.open)
	if got := <-inFlight; got.err != nil || got.body != "whole answer" {
		t.Errorf("request in flight got %q, %v", got.body, got.err)
	}
	if err := server.ended(t); err != nil {
		t.Errorf("drain ended with %v", err)
	}
}

// waitClosed returns once new connections are refused.
func waitClosed(t *testing.T, url string) {
	t.Helper()
	var dialer net.Dialer
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		connection, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			return
		}
		_ = connection.Close()
	}
	t.Fatal("new connections were still accepted")
}

func TestServesOnDuringTheDrainDelay(t *testing.T) {
	server := start(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") },
		func(c *serve.Config) { c.DrainDelay = time.Hour })
	server.stop()
	server.waitFor(t, "/readyz", http.StatusServiceUnavailable)
	response, err := get(http.DefaultClient, server.public)
	if err != nil {
		t.Fatalf("a request during the delay failed: %v", err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK || !response.Close {
		t.Errorf("status %d, connection closes: %t, want 200 and a goodbye", response.StatusCode, response.Close)
	}
	signalSelf(t)
	if err := server.ended(t); err == nil {
		t.Log("nothing was in flight, so nothing was cut off")
	}
}

func TestSecondSignalEndsTheDrain(t *testing.T) {
	slow := newGate()
	defer close(slow.open)
	server := start(t, slow.ServeHTTP, func(c *serve.Config) { c.DrainTime = time.Hour })
	inFlight := fetch(server.public)
	<-slow.entered
	server.stop()
	server.waitFor(t, "/readyz", http.StatusServiceUnavailable)
	signalSelf(t)
	if err := server.ended(t); err == nil {
		t.Error("a cut-off request was not reported")
	}
	if got := <-inFlight; got.err == nil {
		t.Errorf("the request in flight got %q", got.body)
	}
}

func signalSelf(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

func TestDrainTimeIsALimit(t *testing.T) {
	slow := newGate()
	defer close(slow.open)
	server := start(t, slow.ServeHTTP, func(c *serve.Config) { c.DrainTime = 50 * time.Millisecond })
	inFlight := fetch(server.public)
	<-slow.entered
	server.stop()
	if err := server.ended(t); err == nil {
		t.Error("a cut-off request was not reported")
	}
	if got := <-inFlight; got.err == nil {
		t.Errorf("the request in flight got %q", got.body)
	}
}

func TestOldConnectionsAreClosed(t *testing.T) {
	server := start(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.RemoteAddr) },
		func(c *serve.Config) { c.ConnectionAge = 200 * time.Millisecond })
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	defer client.CloseIdleConnections()
	addresses := map[string]bool{}
	deadline := time.Now().Add(20 * time.Second)
	for requests := 0; len(addresses) < 3; requests++ {
		if time.Now().After(deadline) {
			t.Fatalf("%d requests used %d connections, want at least 3", requests, len(addresses))
		}
		response, err := get(client, server.public)
		if err != nil {
			t.Fatalf("request %d failed: %v", requests, err)
		}
		address, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		addresses[string(address)] = true
	}
}

func TestTakenPortIsAnErrorAtTheStart(t *testing.T) {
	var sockets net.ListenConfig
	taken, err := sockets.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close() //nolint:errcheck // nothing was accepted
	for name, change := range map[string]func(*serve.Config){
		"traffic": func(c *serve.Config) { c.Listen = taken.Addr().String() },
		"admin":   func(c *serve.Config) { c.AdminListen = taken.Addr().String() },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := serve.Config{Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0"}
			change(&cfg)
			handlers := serve.Handlers{Public: http.NotFoundHandler(), Admin: http.NotFoundHandler()}
			if _, err := serve.Listen(t.Context(), cfg, handlers, nil, slog.New(slog.DiscardHandler)); err == nil {
				t.Error("listening on a taken port worked")
			}
		})
	}
}

func TestLimits(t *testing.T) {
	server := start(t, func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		}
	}, func(*serve.Config) {})
	cases := map[string]struct {
		header string
		body   int
		want   int
	}{
		"small":          {header: "x", body: 10, want: http.StatusOK},
		"body too big":   {header: "x", body: 2 << 20, want: http.StatusRequestEntityTooLarge},
		"header too big": {header: strings.Repeat("x", 64<<10), want: http.StatusRequestHeaderFieldsTooLarge},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.public, strings.NewReader(strings.Repeat("b", c.body)))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("X-Test", c.header)
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if response.StatusCode != c.want {
				t.Errorf("status %d, want %d", response.StatusCode, c.want)
			}
		})
	}
}
