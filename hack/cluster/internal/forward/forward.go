// Package forward lets a Service of a cluster listen on the machine.
package forward

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

const (
	// A cut-off endpoint swallows packets: give up soon and try another one.
	dialLimit  = time.Second
	dialWindow = 15 * time.Second
	dialPause  = 100 * time.Millisecond
)

// Forwarder passes connections on to an address that it looks up each time.
type Forwarder struct {
	// Target finds the address to connect to.
	Target func(context.Context) (string, error)
}

// Serve passes the listener's connections on until ctx is done.
func (f Forwarder) Serve(ctx context.Context, listener net.Listener) error {
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer stop()
	for {
		client, err := listener.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("accept: %w", err)
		}
		go f.pass(ctx, client)
	}
}

func (f Forwarder) pass(ctx context.Context, client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := f.dial(ctx)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	stop := context.AfterFunc(ctx, func() { _, _ = client.Close(), server.Close() })
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { copyThenClose(server, client) })
	both.Go(func() { copyThenClose(client, server) })
	both.Wait()
}

// dial tries again until some endpoint answers.
func (f Forwarder) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialWindow)
	defer cancel()
	dialer := net.Dialer{Timeout: dialLimit}
	for {
		address, err := f.Target(ctx)
		if err == nil {
			var server net.Conn
			if server, err = dialer.DialContext(ctx, "tcp", address); err == nil {
				return server, nil
			}
		}
		select {
		case <-time.After(dialPause):
		case <-ctx.Done():
			return nil, fmt.Errorf("connect: %w", err)
		}
	}
}

// copyThenClose passes on one direction, and its end.
func copyThenClose(to, from net.Conn) {
	_, err := io.Copy(to, from)
	if tcp, ok := to.(*net.TCPConn); ok && err == nil {
		_ = tcp.CloseWrite()
		return
	}
	_, _ = to.Close(), from.Close()
}
