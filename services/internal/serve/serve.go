// Package serve runs the two HTTP servers of a service, traffic and admin, from start to drained end.
package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	"github.com/streamplane/streamplane/services/internal/config"
)

// Limits of every server. A body is small because no service takes uploads yet.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 30 * time.Second
	idleTimeout       = 75 * time.Second
	maxHeaderBytes    = 32 << 10
	maxBodyBytes      = 1 << 20
)

// Config is what operators can set.
type Config struct {
	Listen, AdminListen string
	// DrainDelay goes on serving after the stop signal, until callers have seen that this pod leaves.
	DrainDelay time.Duration
	// DrainTime is how long requests in flight may take to end.
	DrainTime time.Duration
	// WriteTimeout ends responses to clients that do not read.
	WriteTimeout time.Duration
	// ConnectionAge is when a connection is closed after its response, so that callers spread over new pods.
	ConnectionAge time.Duration
}

// Defaults are the settings without any flag.
func Defaults() Config {
	return Config{
		Listen: ":8080", AdminListen: ":9090", DrainDelay: time.Second, DrainTime: 30 * time.Second,
		WriteTimeout: 2 * time.Minute, ConnectionAge: time.Minute,
	}
}

// Register adds the settings of the servers.
func (c *Config) Register(set *config.Set) {
	set.String(&c.Listen, "listen", "address for traffic")
	set.String(&c.AdminListen, "admin-listen", "address for /metrics, /livez, /readyz and /statusz")
	set.Duration(&c.DrainDelay, "drain-delay", "after the stop signal: go on serving this long")
	set.Duration(&c.DrainTime, "drain-time", "after that: time for requests in flight to end")
	set.Duration(&c.WriteTimeout, "write-timeout", "longest time to send one response")
	set.Duration(&c.ConnectionAge, "connection-age", "close a connection after the response at this age, 0 never")
	for name, value := range map[string]*string{"listen": &c.Listen, "admin-listen": &c.AdminListen} {
		set.Check(name, func() error {
			if _, _, err := net.SplitHostPort(*value); err != nil {
				return errors.New("use host:port or :port")
			}
			return nil
		})
	}
}

// Readiness is told when traffic may come and when it should go elsewhere.
type Readiness interface {
	Ready()
	Drain()
}

// Server is a service that listens but does not serve yet.
type Server struct {
	config        Config
	log           *slog.Logger
	readiness     Readiness
	aging         *aging
	public, admin *http.Server
	publicSocket  net.Listener
	adminSocket   net.Listener
}

// Handlers are the two faces of a service.
type Handlers struct{ Public, Admin http.Handler }

// Listen binds both ports, so that a taken port is an error at the start.
func Listen(ctx context.Context, c Config, handlers Handlers, readiness Readiness, log *slog.Logger) (*Server, error) {
	var sockets net.ListenConfig
	public, err := sockets.Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen for traffic: %w", err)
	}
	admin, err := sockets.Listen(ctx, "tcp", c.AdminListen)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen for admin: %w", err), public.Close())
	}
	s := &Server{config: c, log: log, readiness: readiness, aging: newAging(c.ConnectionAge), publicSocket: public, adminSocket: admin}
	s.public = s.newServer(s.aging.handler(http.MaxBytesHandler(handlers.Public, maxBodyBytes)))
	s.public.WriteTimeout = c.WriteTimeout
	s.public.ConnContext = s.aging.mark
	s.admin = s.newServer(handlers.Admin)
	s.admin.WriteTimeout = readTimeout
	return s, nil
}

func (s *Server) newServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeaderBytes, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
}

// PublicAddr is where traffic goes.
func (s *Server) PublicAddr() string { return s.publicSocket.Addr().String() }

// AdminAddr is where probes go.
func (s *Server) AdminAddr() string { return s.adminSocket.Addr().String() }

// Run serves until ctx is done, then drains. A second stop signal ends the drain at once.
func (s *Server) Run(ctx context.Context) error {
	failed := make(chan error, 2)
	go func() { failed <- s.public.Serve(s.publicSocket) }()
	go func() { failed <- s.admin.Serve(s.adminSocket) }()
	s.readiness.Ready()
	s.log.InfoContext(ctx, "Serving", "listen", s.PublicAddr(), "adminListen", s.AdminAddr())
	select {
	case err := <-failed:
		return errors.Join(fmt.Errorf("serve: %w", err), s.public.Close(), s.admin.Close())
	case <-ctx.Done():
		return s.drain(context.WithoutCancel(ctx)) // viewers still finish their segment
	}
}

func (s *Server) drain(ctx context.Context) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	s.readiness.Drain()
	s.aging.closeAll()
	s.log.InfoContext(ctx, "Draining", "delay", s.config.DrainDelay, "time", s.config.DrainTime)
	wait(ctx, s.config.DrainDelay)
	limited, cancel := context.WithTimeout(ctx, s.config.DrainTime)
	defer cancel()
	err := s.public.Shutdown(limited)
	if err != nil {
		err = errors.Join(fmt.Errorf("requests in flight were cut off: %w", err), s.public.Close())
	}
	err = errors.Join(err, s.admin.Close())
	s.log.InfoContext(ctx, "Drained")
	return err
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
