// Command streaming serves video on demand over HLS from a folder or an S3 bucket.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/streamplane/streamplane/services/internal/config"
	"github.com/streamplane/streamplane/services/internal/health"
	"github.com/streamplane/streamplane/services/internal/object"
	"github.com/streamplane/streamplane/services/internal/serve"
	"github.com/streamplane/streamplane/services/internal/telemetry"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	err := run(ctx, os.Args[1:], os.Getenv)
	stop()
	if err != nil && !errors.Is(err, config.ErrDone) {
		fmt.Fprintln(os.Stderr, "streaming:", err)
	}
	os.Exit(config.ExitCode(err))
}

func run(ctx context.Context, args []string, getenv func(string) string) error {
	cfg := defaults()
	if err := cfg.parse(args, getenv, os.Stdout); err != nil {
		return err
	}
	store, err := object.OpenStore(cfg.mediaURL, getenv)
	if err != nil {
		return &config.ValueError{Setting: "MEDIA_URL", Value: cfg.mediaURL, Fix: err}
	}
	reports, err := telemetry.New(ctx, cfg.identity, os.Stdout)
	if err != nil {
		return err
	}
	state := health.New(cfg.identity.Describe(), reports.Metrics)
	origin := newOrigin(store, reports, state, time.Now) //nolint:forbidigo // the one real clock of the program
	handlers := serve.Handlers{Public: reports.Requests(origin.routes()), Admin: serve.Admin(state, reports.MetricsHandler())}
	server, err := serve.Listen(ctx, cfg.serve, handlers, state, reports.Log)
	if err != nil {
		return err
	}
	return errors.Join(server.Run(ctx), reports.Close(context.WithoutCancel(ctx)))
}
