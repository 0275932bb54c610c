package balance

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// endpoint is one address with its own connections.
type endpoint struct {
	address   string
	target    string
	transport *http.Transport
	inFlight  atomic.Int64

	// Guarded by the mutex of endpoints.
	failures     int
	ejectedUntil time.Time
}

func newEndpoint(address string, config Config) *endpoint {
	dialer := &net.Dialer{
		Timeout: config.DialTimeout,
		// A peer that vanished without a word is noticed within seconds, also in the middle of a body.
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 2 * time.Second, Interval: time.Second, Count: 3},
	}
	return &endpoint{address: address, target: config.Target.Host, transport: &http.Transport{
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{ServerName: config.Target.Hostname(), MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    config.DialTimeout,
		ResponseHeaderTimeout:  config.HeaderTimeout,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        30 * time.Second,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
	}}
}

// roundTrip counts a request as in flight until its body is closed.
func (e *endpoint) roundTrip(r *http.Request) (*http.Response, error) {
	address := *r.URL
	address.Host = e.address
	out := r.WithContext(r.Context())
	out.URL = &address
	if out.Host == "" {
		out.Host = e.target
	}
	e.inFlight.Add(1)
	response, err := e.transport.RoundTrip(out)
	if err != nil {
		e.inFlight.Add(-1)
		return nil, err
	}
	response.Body = &countedBody{ReadCloser: response.Body, done: sync.OnceFunc(func() { e.inFlight.Add(-1) })}
	return response, nil
}

// retire lets running requests end; their connections close when they have been idle for a while.
func (e *endpoint) retire() { e.transport.CloseIdleConnections() }

type countedBody struct {
	io.ReadCloser
	done func()
}

func (b *countedBody) Close() error {
	b.done()
	return b.ReadCloser.Close()
}
