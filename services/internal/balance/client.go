// Package balance sends each request to one of the pods behind a name: the calling side of a headless Service.
//
// A ClusterIP picks a pod per connection, so pooled connections would never reach a pod that was added later. This
// client resolves all addresses itself, picks one per request, leaves out those that fail, and repeats a request
// elsewhere when that is safe.
package balance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/budget"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"github.com/prometheus/client_golang/prometheus"
)

// ErrNoEndpoints says that the name has not resolved to any address yet.
var ErrNoEndpoints = errors.New("no endpoints known")

// Resolver finds the addresses of a host; *net.Resolver is one.
type Resolver interface {
	LookupHost(ctx context.Context, host string) ([]string, error)
}

// Config says whom to call and how patiently. Zero durations mean the defaults of New.
type Config struct {
	// Target is the headless Service, such as http://acme-streaming-headless.tv.svc:8080. Only its host and scheme count.
	Target   *url.URL
	Resolver Resolver
	Now      func() time.Time
	// RefreshEvery is the time between two look-ups.
	RefreshEvery time.Duration
	// DialTimeout is how long an endpoint may take to accept a connection.
	DialTimeout time.Duration
	// HeaderTimeout is how long an endpoint may take to begin its response.
	HeaderTimeout time.Duration
	// Attempts is how many requests may be sent for one; 0 means 3.
	Attempts int
	// EjectFor is how long an endpoint that failed is left alone; it doubles with each failure in a row.
	EjectFor time.Duration
}

// Limits that callers do not choose.
const (
	defaultAttempts = 3 // requests that may have been sent
	maxDials        = 5 // endpoints tried per attempt while none of them accepts a connection
	maxEjection     = 30 * time.Second
)

func (c Config) withDefaults() Config {
	orDefault(&c.RefreshEvery, 2*time.Second)
	orDefault(&c.DialTimeout, time.Second)
	orDefault(&c.HeaderTimeout, 3*time.Second)
	orDefault(&c.EjectFor, time.Second)
	c.Attempts = cmp.Or(c.Attempts, defaultAttempts)
	if c.Resolver == nil {
		c.Resolver = net.DefaultResolver
	}
	return c
}

func orDefault(d *time.Duration, fallback time.Duration) {
	if *d == 0 {
		*d = fallback
	}
}

// Client is an http.RoundTripper that sends every request to an endpoint of its target, whatever host the URL names.
type Client struct {
	endpoints *endpoints
	metrics   *metrics
	policies  failsafe.Executor[answer]
	stop      context.CancelFunc
	stopped   sync.WaitGroup
}

// New starts resolving; Close ends it.
func New(ctx context.Context, config Config, registerer prometheus.Registerer) *Client {
	config = config.withDefaults()
	ctx, stop := context.WithCancel(ctx)
	c := &Client{endpoints: newEndpoints(config), stop: stop}
	c.metrics = newMetrics(config.Target.Host, c.endpoints, registerer)
	c.policies = policies(c.metrics, config.Attempts)
	c.stopped.Go(func() { c.endpoints.keepFresh(ctx) })
	return c
}

// Close ends the look-ups and drops idle connections; running requests finish.
func (c *Client) Close() {
	c.stop()
	c.stopped.Wait()
	c.endpoints.replace(nil)
	c.metrics.remove()
}

// answer is what the policies handle; they never look inside.
type answer struct{ *http.Response }

// policies is the only place that decides about repeating requests and giving up on a target. The breaker is outside:
// it counts requests that failed in spite of all attempts.
func policies(m *metrics, attempts int) failsafe.Executor[answer] {
	retries := retrypolicy.NewBuilder[answer]().
		HandleIf(func(_ answer, err error) bool { return isTheirs(err) && !errors.Is(err, errNotRepeatable) }).
		WithMaxAttempts(attempts).ReturnLastFailure().
		WithBudget(budget.NewBuilder().WithMaxRate(0.5).WithMinConcurrency(10).Build()).
		OnRetry(func(failsafe.ExecutionEvent[answer]) { m.retries.Inc() }).Build()
	breaker := circuitbreaker.NewBuilder[answer]().
		HandleIf(func(_ answer, err error) bool { return isTheirs(err) }).
		WithFailureRateThreshold(0.9, 20, 10*time.Second).WithDelay(time.Second).Build()
	return failsafe.With[answer](breaker, retries)
}

// isTheirs is true for failures of the target, not of a caller who went away.
func isTheirs(err error) bool { return err != nil && !errors.Is(err, context.Canceled) }

// errNotRepeatable marks failures of requests that must not be sent twice.
var errNotRepeatable = errors.New("request cannot be repeated")

// RoundTrip sends the request. A request without body and side effects is sent again, elsewhere, when an endpoint
// failed before it began to answer.
func (c *Client) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := c.endpoints.await(r.Context()); err != nil {
		closeBody(r)
		return nil, err
	}
	tried := map[*endpoint]bool{}
	got, err := c.policies.WithContext(r.Context()).Get(func() (answer, error) {
		response, err := c.attempt(r, tried) //nolint:bodyclose // the caller of RoundTrip closes it
		if err != nil && !repeatable(r) {
			err = fmt.Errorf("%w: %w", errNotRepeatable, err)
		}
		return answer{response}, err
	})
	return got.Response, err
}

// attempt goes on to the next endpoint as long as nothing was sent.
func (c *Client) attempt(r *http.Request, tried map[*endpoint]bool) (*http.Response, error) {
	for dials := 1; ; dials++ {
		chosen := c.endpoints.pick(tried)
		if chosen == nil {
			return nil, ErrNoEndpoints
		}
		response, err := chosen.roundTrip(r)
		if err == nil {
			c.endpoints.worked(chosen)
			return response, nil
		}
		if r.Context().Err() != nil {
			return nil, err // the caller gave up: that says nothing about the endpoint
		}
		tried[chosen] = true
		c.endpoints.failed(chosen)
		c.metrics.failures.Inc()
		if !neverSent(err) || !repeatable(r) || dials == maxDials || c.endpoints.allTried(tried) {
			return nil, fmt.Errorf("call %s: %w", chosen.address, err)
		}
	}
}

func repeatable(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return r.Body == nil || r.Body == http.NoBody
	}
	return false
}

// neverSent is true when no connection came about.
func neverSent(err error) bool {
	var operation *net.OpError
	return errors.As(err, &operation) && operation.Op == "dial"
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close() // a RoundTripper must close it; there is nobody to tell
	}
}
