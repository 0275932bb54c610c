package forward

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
)

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// echo answers each connection with what it received, once the client is done.
func echo(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			content, _ := io.ReadAll(conn)
			_, _ = conn.Write(append([]byte("got "), content...))
			_ = conn.Close()
		}()
	}
}

func ask(t *testing.T, address, text string) string {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

func TestForwardPassesBothDirectionsAndTheirEnds(t *testing.T) {
	server := listen(t)
	defer func() { _ = server.Close() }()
	go echo(server)
	entrance := listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	f := Forwarder{Target: func(context.Context) (string, error) { return server.Addr().String(), nil }}
	go func() { done <- f.Serve(ctx, entrance) }()
	for _, text := range []string{"a", "b"} {
		if got := ask(t, entrance.Addr().String(), text); got != "got "+text {
			t.Errorf("answer %q", got)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Serve = %v", err)
	}
}

// A connection waits for a Service that is not there yet, or an endpoint that refuses.
func TestForwardTriesAgain(t *testing.T) {
	server := listen(t)
	defer func() { _ = server.Close() }()
	go echo(server)
	closed := listen(t)
	_ = closed.Close()
	var tries atomic.Int32
	f := Forwarder{Target: func(context.Context) (string, error) {
		switch tries.Add(1) {
		case 1:
			return "", errors.New("no such service")
		case 2:
			return closed.Addr().String(), nil
		default:
			return server.Addr().String(), nil
		}
	}}
	entrance := listen(t)
	go func() { _ = f.Serve(t.Context(), entrance) }()
	if got := ask(t, entrance.Addr().String(), "x"); got != "got x" {
		t.Errorf("answer %q", got)
	}
	if got := tries.Load(); got != 3 {
		t.Errorf("%d tries", got)
	}
}
