// Command gateway is the edge of the platform: the web page, its API, and media passed through from streaming.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/streamplane/streamplane/services/internal/balance"
	"github.com/streamplane/streamplane/services/internal/config"
	"github.com/streamplane/streamplane/services/internal/health"
	"github.com/streamplane/streamplane/services/internal/serve"
	"github.com/streamplane/streamplane/services/internal/telemetry"
	"github.com/streamplane/streamplane/web"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	err := run(ctx, os.Args[1:], os.Getenv)
	stop()
	if err != nil && !errors.Is(err, config.ErrDone) {
		fmt.Fprintln(os.Stderr, "gateway:", err)
	}
	os.Exit(config.ExitCode(err))
}

func run(ctx context.Context, args []string, getenv func(string) string) error {
	cfg := defaults()
	if err := cfg.parse(args, getenv, os.Stdout); err != nil {
		return err
	}
	reports, err := telemetry.New(ctx, cfg.identity, os.Stdout)
	if err != nil {
		return err
	}
	pages, err := loadPages(web.Files())
	if err != nil {
		return err
	}
	now := time.Now //nolint:forbidigo // the one real clock of the program
	client := balance.New(ctx, cfg.balance(now), reports.Metrics)
	defer client.Close()
	state := health.New(cfg.identity.Describe(), reports.Metrics)
	edge := newEdge(pages, cfg.streaming, reports.Transport(client), edgeReports{log: reports.Log, state: state, now: now})
	others := newRouter(cfg.routesFile, func(target *url.URL) dialed {
		return balance.New(ctx, cfg.routed(target, now), reports.Metrics)
	}, edge.handlers, reports.Metrics)
	handlers := serve.Handlers{Public: reports.Requests(others.handler(edge.routes())), Admin: serve.Admin(state, reports.MetricsHandler())}
	server, err := serve.Listen(ctx, cfg.serve, handlers, state, reports.Log)
	if err != nil {
		return err
	}
	defer others.follow(ctx, readRoutesEvery)()
	return errors.Join(server.Run(ctx), reports.Close(context.WithoutCancel(ctx)))
}
