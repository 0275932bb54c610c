package main

import (
	"context"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/streamplane/streamplane/services/internal/answer"
)

// router sends the paths of a file to other services and follows the file as it changes, so that a new service needs
// no restart of gateway. A file that cannot be used changes nothing.
type router struct {
	file     string
	dial     func(target *url.URL) dialed
	handlers answer.Handlers
	buffers  *buffers
	metrics  routerMetrics

	current atomic.Pointer[[]routed] // longest path first
	clients map[string]dialed        // by scheme and host; of refresh alone
	problem string                   // with the file, as it was logged
}

// dialed is a client of the pods behind one name.
type dialed interface {
	http.RoundTripper
	Close()
}

// routed is a route at work.
type routed struct {
	route
	proxy http.Handler
}

type routerMetrics struct{ routes, rejected prometheus.Gauge }

func newRouter(file string, dial func(*url.URL) dialed, handlers answer.Handlers, registerer prometheus.Registerer) *router {
	r := &router{
		file: file, dial: dial, handlers: handlers, buffers: newBuffers(), clients: map[string]dialed{},
		metrics: routerMetrics{
			routes: prometheus.NewGauge(prometheus.GaugeOpts{Name: "gateway_routes", Help: "Routes to other services."}),
			rejected: prometheus.NewGauge(prometheus.GaugeOpts{
				Name: "gateway_routes_rejected", Help: "1 while the routes file cannot be used, and older routes serve.",
			}),
		},
	}
	registerer.MustRegister(r.metrics.routes, r.metrics.rejected)
	r.current.Store(new([]routed))
	return r
}

// follow reads the file until ctx ends; the routes serve until stop is called. It reads instead of watching: a mounted
// ConfigMap changes by renaming folders above the file.
func (r *router) follow(ctx context.Context, every time.Duration) (stop func()) {
	var following sync.WaitGroup
	if r.file != "" {
		following.Go(func() {
			ticker := time.NewTicker(every)
			defer ticker.Stop()
			for {
				r.refresh(ctx)
				select {
				case <-ctx.Done():
					return
				case <-ticker.C:
				}
			}
		})
	}
	return func() {
		following.Wait()
		r.replace(nil)
	}
}

func (r *router) refresh(ctx context.Context) {
	routes, err := readRoutes(r.file)
	if err != nil {
		if r.problem != err.Error() {
			r.handlers.Log.ErrorContext(ctx, "Routes not changed", "error", err)
		}
		r.problem = err.Error()
		r.metrics.rejected.Set(1)
		return
	}
	r.problem = ""
	r.metrics.rejected.Set(0)
	r.replace(routes)
}

// replace keeps the clients of targets that stay.
func (r *router) replace(routes []route) {
	next, used := make([]routed, 0, len(routes)), map[string]dialed{}
	for _, wanted := range routes {
		key := wanted.target.Scheme + "://" + wanted.target.Host
		client, known := r.clients[key]
		if !known {
			client = r.dial(wanted.target)
			r.clients[key] = client
		}
		used[key] = client
		next = append(next, routed{wanted, r.proxy(wanted, client)})
	}
	r.current.Store(&next)
	r.metrics.routes.Set(float64(len(next)))
	for key, client := range r.clients {
		if used[key] == nil {
			client.Close()
		}
	}
	r.clients = used
}

// proxy passes requests on with their path as it is. Cookies stay with gateway, which all paths share.
func (r *router) proxy(to route, client dialed) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(to.target)
			p.SetXForwarded()
			p.Out.Header.Del("Cookie")
		},
		Transport:  begins{client, to.timeout},
		BufferPool: r.buffers,
		ModifyResponse: func(response *http.Response) error {
			response.Header.Del("Set-Cookie")
			response.Header.Set("X-Content-Type-Options", "nosniff")
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, request *http.Request, err error) {
			r.handlers.Fail(w, request, answer.Unavailable(to.Service+" does not answer, please try again in a moment", err))
		},
	}
}

// handler serves routed paths, and next the others.
func (r *router) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		for _, to := range *r.current.Load() {
			if to.takes(request.URL.Path) {
				request.Pattern = to.Path // for metrics and logs: bounded by the file
				to.proxy.ServeHTTP(w, request)
				return
			}
		}
		next.ServeHTTP(w, request)
	})
}

// begins gives up on responses that do not begin in time; the rest of them may take as long as it takes.
type begins struct {
	next   http.RoundTripper
	within time.Duration
}

func (b begins) RoundTrip(request *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(request.Context())
	timer := time.AfterFunc(b.within, func() { cancel(context.DeadlineExceeded) })
	response, err := b.next.RoundTrip(request.WithContext(ctx))
	timer.Stop()
	if err != nil && context.Cause(ctx) != nil {
		return nil, context.Cause(ctx)
	}
	return response, err
}
