package balance_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/streamplane/streamplane/services/internal/balance"
)

// deadline is generous: tests wait for what must happen and never for time to pass.
const deadline = 20 * time.Second

// fakeDNS answers with whatever a test says.
type fakeDNS struct {
	mu      sync.Mutex
	hosts   []string
	err     error
	lookups int
}

func (f *fakeDNS) LookupHost(context.Context, string) ([]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lookups++
	return append([]string(nil), f.hosts...), f.err
}

func (f *fakeDNS) answer(err error, hosts ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hosts, f.err = hosts, err
}

// looked waits until every answer from before the call has been used.
func (f *fakeDNS) looked(t *testing.T) {
	t.Helper()
	f.mu.Lock()
	before := f.lookups
	f.mu.Unlock()
	eventually(t, "a new look-up", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.lookups >= before+2 // the first one may have been under way
	})
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	expired := time.After(deadline)
	for !condition() {
		select {
		case <-expired:
			t.Fatalf("no %s within %s", what, deadline)
		case <-time.After(time.Millisecond):
		}
	}
}

// pod is a server on its own loopback address; all pods share a port, as pods of a Service do.
type pod struct {
	server   *http.Server
	requests atomic.Int64
}

// fleet starts pods on demand.
type fleet struct {
	dns  *fakeDNS
	port string
	pods map[string]*pod
	// attempts of the client.
	attempts int
}

// newFleet finds a port for all pods.
func newFleet(t *testing.T) *fleet {
	t.Helper()
	socket := listen(t, "127.0.0.2:0")
	_, port, _ := net.SplitHostPort(socket.Addr().String())
	_ = socket.Close()
	return &fleet{dns: &fakeDNS{}, port: port, pods: map[string]*pod{}}
}

func (f *fleet) start(t *testing.T, host string, handler http.HandlerFunc) *pod {
	t.Helper()
	socket := listen(t, net.JoinHostPort(host, f.port))
	p := &pod{}
	p.server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.requests.Add(1)
		handler(w, r)
	})}
	go func() { _ = p.server.Serve(socket) }()
	t.Cleanup(func() { _ = p.server.Close() })
	f.pods[host] = p
	return p
}

func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	var sockets net.ListenConfig
	socket, err := sockets.Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return socket
}

func ok(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }

func (f *fleet) client(t *testing.T) *http.Client {
	t.Helper()
	target := &url.URL{Scheme: "http", Host: net.JoinHostPort("streaming.test", f.port)}
	balanced := balance.New(t.Context(), balance.Config{
		Target: target, Resolver: f.dns, Now: time.Now, Attempts: f.attempts, RefreshEvery: 20 * time.Millisecond,
		DialTimeout: 500 * time.Millisecond, HeaderTimeout: 500 * time.Millisecond, EjectFor: 100 * time.Millisecond,
	}, prometheus.NewRegistry())
	t.Cleanup(balanced.Close)
	return &http.Client{Transport: balanced}
}

// begin sends a request and leaves the body to be read.
func begin(client *http.Client) (*http.Response, error) {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://streaming.test/x", http.NoBody)
	if err != nil {
		return nil, err
	}
	return client.Do(request)
}

func get(client *http.Client) error {
	response, err := begin(client)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", response.Status)
	}
	return nil
}

func mustGet(t *testing.T, client *http.Client, times int) {
	t.Helper()
	for i := range times {
		if err := get(client); err != nil {
			t.Fatalf("request %d failed: %v", i, err)
		}
	}
}

func TestSpreadsRequestsAndTakesInNewPods(t *testing.T) {
	pods := newFleet(t)
	first, second := pods.start(t, "127.0.0.2", ok), pods.start(t, "127.0.0.3", ok)
	pods.dns.answer(nil, "127.0.0.2", "127.0.0.3")
	client := pods.client(t)
	mustGet(t, client, 300)
	for name, p := range map[string]*pod{"first": first, "second": second} {
		if n := p.requests.Load(); n < 75 {
			t.Errorf("the %s pod got %d of 300 requests", name, n)
		}
	}
	third := pods.start(t, "127.0.0.4", ok)
	pods.dns.answer(nil, "127.0.0.2", "127.0.0.3", "127.0.0.4")
	pods.dns.looked(t)
	mustGet(t, client, 300)
	if n := third.requests.Load(); n < 50 {
		t.Errorf("the added pod got %d of 300 requests although it has been known for a while", n)
	}
}

func TestRemovedPodGetsNothing(t *testing.T) {
	pods := newFleet(t)
	pods.start(t, "127.0.0.2", ok)
	leaving := pods.start(t, "127.0.0.3", ok)
	pods.dns.answer(nil, "127.0.0.2", "127.0.0.3")
	client := pods.client(t)
	mustGet(t, client, 50)
	pods.dns.answer(nil, "127.0.0.2")
	pods.dns.looked(t)
	before := leaving.requests.Load()
	mustGet(t, client, 100)
	if after := leaving.requests.Load(); after != before {
		t.Errorf("the removed pod got %d more requests", after-before)
	}
}

func TestRemovedPodFinishesItsResponse(t *testing.T) {
	pods := newFleet(t)
	release := make(chan struct{})
	pods.start(t, "127.0.0.2", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "first half, ")
		_ = http.NewResponseController(w).Flush()
		<-release
		_, _ = io.WriteString(w, "second half")
	})
	pods.dns.answer(nil, "127.0.0.2")
	client := pods.client(t)
	response, err := begin(client)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	pods.start(t, "127.0.0.3", ok)
	pods.dns.answer(nil, "127.0.0.3")
	pods.dns.looked(t)
	close(release)
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != "first half, second half" {
		t.Errorf("body %q, %v", body, err)
	}
}

func TestBrokenPodsCostNoRequest(t *testing.T) {
	hung := make(chan struct{})
	cases := map[string]func(t *testing.T, pods *fleet){
		"nobody listens": func(*testing.T, *fleet) {},
		"never answers": func(t *testing.T, pods *fleet) {
			t.Helper()
			pods.start(t, "127.0.0.3", func(http.ResponseWriter, *http.Request) { <-hung })
		},
		"hangs up": func(t *testing.T, pods *fleet) {
			t.Helper()
			pods.start(t, "127.0.0.3", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		},
	}
	defer close(hung)
	for name, breakPod := range cases {
		t.Run(name, func(t *testing.T) {
			pods := newFleet(t)
			pods.start(t, "127.0.0.2", ok)
			breakPod(t, pods)
			pods.dns.answer(nil, "127.0.0.2", "127.0.0.3")
			client := pods.client(t)
			var workers sync.WaitGroup
			for range 8 {
				workers.Go(func() {
					for range 25 {
						if err := get(client); err != nil {
							t.Errorf("request failed: %v", err)
						}
					}
				})
			}
			workers.Wait()
		})
	}
}

func TestPodThatDiesUnderLoadCostsNoRequest(t *testing.T) {
	pods := newFleet(t)
	dying := pods.start(t, "127.0.0.2", ok)
	pods.start(t, "127.0.0.3", ok)
	pods.dns.answer(nil, "127.0.0.2", "127.0.0.3")
	client := pods.client(t)
	stop := make(chan struct{})
	var workers sync.WaitGroup
	var served atomic.Int64
	for range 8 {
		workers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := get(client); err != nil {
					t.Errorf("request failed: %v", err)
					return
				}
				served.Add(1)
			}
		})
	}
	eventually(t, "load", func() bool { return served.Load() > 200 })
	_ = dying.server.Close()
	sofar := served.Load()
	eventually(t, "load without the dead pod", func() bool { return served.Load() > sofar+500 })
	close(stop)
	workers.Wait()
}

func TestPodThatCameBackIsUsedAgain(t *testing.T) {
	pods := newFleet(t)
	pods.start(t, "127.0.0.2", ok)
	pods.dns.answer(nil, "127.0.0.2", "127.0.0.3")
	client := pods.client(t)
	mustGet(t, client, 20)
	back := pods.start(t, "127.0.0.3", ok)
	eventually(t, "request to the pod that came back", func() bool {
		mustGet(t, client, 1)
		return back.requests.Load() > 0
	})
}

func TestFailingDNSKeepsTheLastGoodPods(t *testing.T) {
	cases := map[string]func(*fakeDNS){
		"an error":   func(dns *fakeDNS) { dns.answer(errors.New("no such host")) },
		"no address": func(dns *fakeDNS) { dns.answer(nil) },
	}
	for name, fail := range cases {
		t.Run(name, func(t *testing.T) {
			pods := newFleet(t)
			pods.start(t, "127.0.0.2", ok)
			pods.dns.answer(nil, "127.0.0.2")
			client := pods.client(t)
			mustGet(t, client, 1)
			fail(pods.dns)
			pods.dns.looked(t)
			mustGet(t, client, 10)
		})
	}
}

func TestUnknownNameIsAnError(t *testing.T) {
	pods := newFleet(t)
	pods.dns.answer(errors.New("no such host"))
	client := pods.client(t)
	if err := get(client); !errors.Is(err, balance.ErrNoEndpoints) {
		t.Errorf("error %v, want %v", err, balance.ErrNoEndpoints)
	}
	pods.start(t, "127.0.0.2", ok)
	pods.dns.answer(nil, "127.0.0.2")
	eventually(t, "answer once the name is known", func() bool { return get(client) == nil })
}

func TestRequestsWithSideEffectsAreSentOnce(t *testing.T) {
	cases := map[string]struct{ method, body string }{
		"post":          {method: http.MethodPost},
		"get with body": {method: http.MethodGet, body: "x"},
		"delete":        {method: http.MethodDelete},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			pods := newFleet(t)
			hangUp := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
			first, second := pods.start(t, "127.0.0.2", hangUp), pods.start(t, "127.0.0.3", hangUp)
			pods.dns.answer(nil, "127.0.0.2", "127.0.0.3")
			request, err := http.NewRequestWithContext(t.Context(), c.method, "http://streaming.test/x", strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			if response, err := pods.client(t).Do(request); err == nil {
				_ = response.Body.Close()
				t.Error("a request that nobody answered worked")
			}
			if n := first.requests.Load() + second.requests.Load(); n != 1 {
				t.Errorf("the request was sent %d times", n)
			}
		})
	}
}

func TestRetriesEnd(t *testing.T) {
	for attempts, want := range map[int]int64{0: 3, 1: 1, 2: 2} {
		t.Run(fmt.Sprint(attempts), func(t *testing.T) { retriesEnd(t, attempts, want) })
	}
}

func retriesEnd(t *testing.T, attempts int, want int64) {
	t.Helper()
	pods := newFleet(t)
	pods.attempts = attempts
	hangUp := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	var all []*pod
	hosts := []string{"127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"}
	for _, host := range hosts {
		all = append(all, pods.start(t, host, hangUp))
	}
	pods.dns.answer(nil, hosts...)
	if err := get(pods.client(t)); err == nil {
		t.Error("a request that nobody answered worked")
	}
	var sent int64
	for _, p := range all {
		if p.requests.Load() > 1 {
			t.Errorf("a pod was asked %d times", p.requests.Load())
		}
		sent += p.requests.Load()
	}
	if sent != want {
		t.Errorf("the request was sent %d times, want %d", sent, want)
	}
}

func TestGivesUpOnADeadTargetAndComesBack(t *testing.T) {
	pods := newFleet(t)
	pods.dns.answer(nil, "127.0.0.2")
	client := pods.client(t)
	eventually(t, "quick refusal", func() bool {
		err := get(client)
		if err == nil {
			t.Fatal("a request to nobody worked")
		}
		return strings.Contains(err.Error(), "circuit breaker open")
	})
	pods.start(t, "127.0.0.2", ok)
	eventually(t, "recovery", func() bool { return get(client) == nil })
}

func TestCallerWhoLeavesDoesNotHarmThePod(t *testing.T) {
	pods := newFleet(t)
	entered := make(chan struct{}, 64)
	pods.start(t, "127.0.0.2", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			entered <- struct{}{}
			<-r.Context().Done()
			return
		}
		ok(w, r)
	})
	pods.dns.answer(nil, "127.0.0.2")
	client := pods.client(t)
	for range 30 {
		ctx, cancel := context.WithCancel(t.Context())
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://streaming.test/slow", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		go func() { <-entered; cancel() }()
		if response, err := client.Do(request); err == nil {
			_ = response.Body.Close()
		}
		cancel()
	}
	mustGet(t, client, 10)
}
