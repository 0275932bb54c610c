// Command probe is the other end of connections in tests: "probe serve PORT..."
// answers, "probe connect TARGET..." asks and says how each attempt ended.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"
)

// limit is how long an attempt may take.
const limit = 5 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	switch {
	case len(args) > 1 && args[0] == "serve":
		return serve(ctx, args[1:])
	case len(args) > 1 && args[0] == "connect":
		connect(ctx, args[1:])
		return nil
	default:
		return errors.New("usage: probe serve PORT... | probe connect HOST:PORT[/udp]..., with at least one argument")
	}
}

// serve answers over TCP and UDP until ctx is done.
func serve(ctx context.Context, ports []string) error {
	var sockets net.ListenConfig
	for _, port := range ports {
		listener, err := sockets.Listen(ctx, "tcp", ":"+port)
		if err != nil {
			return fmt.Errorf("listen: %w", err)
		}
		packets, err := sockets.ListenPacket(ctx, "udp", ":"+port)
		if err != nil {
			return fmt.Errorf("listen: %w", err)
		}
		go accept(listener)
		go echo(packets)
	}
	<-ctx.Done()
	return nil
}

func accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, "hello")
		_ = conn.Close()
	}
}

func echo(packets net.PacketConn) {
	buffer := make([]byte, 64)
	for {
		n, from, err := packets.ReadFrom(buffer)
		if err != nil {
			return
		}
		_, _ = packets.WriteTo(buffer[:n], from)
	}
}

// connect prints a line per target: the target and "ok", or why not.
func connect(ctx context.Context, targets []string) {
	lines := make([]string, len(targets))
	var attempts sync.WaitGroup
	for i, target := range targets {
		attempts.Go(func() {
			lines[i] = target + " ok"
			if err := attempt(ctx, target); err != nil {
				lines[i] = target + " " + err.Error()
			}
		})
	}
	attempts.Wait()
	fmt.Fprintln(os.Stdout, strings.Join(lines, "\n"))
}

// attempt succeeds when the other end answers; over TCP a connection is enough.
func attempt(ctx context.Context, target string) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	address, udp := strings.CutSuffix(target, "/udp")
	network := "tcp"
	if udp {
		network = "udp"
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if !udp {
		return nil
	}
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "hello"); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 64))
	return err
}
