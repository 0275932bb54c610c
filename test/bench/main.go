// Command bench measures the operator on a real etcd and kube-apiserver, beside a bare loop that applies the same
// objects on the same control plane. Counts and latencies come from the API server's audit log. docs/bench.md
// explains each number.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
)

// settings are the flags.
type settings struct {
	operator string // the program
	releases string
	crds     string
	out      string
	sizes    []int
	workers  int
	samples  int
	idle     time.Duration
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s, err := parse(os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	if err := run(ctx, s); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse(args []string, out io.Writer) (settings, error) {
	s := settings{sizes: []int{1, 100, 500}}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&s.operator, "operator", ".cache/build/operator", "`program` to measure")
	flags.StringVar(&s.releases, "releases", "config/manager/releases.yaml", "`file` that lists the images of each release")
	flags.StringVar(&s.crds, "crds", "config/crd/bases", "`folder` of the CRDs")
	flags.StringVar(&s.out, "out", ".cache/bench.json", "`file` for the numbers")
	flags.IntVar(&s.workers, "workers", 16, "requests that the bare loop has in flight: as many as a controller has workers")
	flags.IntVar(&s.samples, "samples", 50, "changes and repairs that are timed one after another")
	flags.DurationVar(&s.idle, "idle", time.Minute, "how long to count requests while nothing changes")
	flags.Func("sizes", "comma-separated `numbers` of platforms that are created at once, one after another (default 1,100,500)", func(list string) error {
		s.sizes = nil
		for text := range strings.SplitSeq(list, ",") {
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 || n > 5000 {
				return errors.New("use numbers from 1 to 5000")
			}
			s.sizes = append(s.sizes, n)
		}
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return s, fmt.Errorf("parse flags: %w", err)
	}
	if flags.NArg() > 0 || s.workers < 1 || s.samples < 1 {
		return s, errors.New("only flags are taken, and numbers are 1 or more: see --help")
	}
	return s, nil
}

func run(ctx context.Context, s settings) (err error) {
	ctrl.SetLogger(logr.Discard())
	klog.SetLogger(logr.Discard())
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	p, err := startPlane(ctx, s.crds)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	b := &bench{settings: s, plane: p, log: log, now: time.Now} //nolint:forbidigo // the wiring hands out the clock
	r, err := b.measure(ctx)
	if err != nil {
		return err
	}
	if err := r.save(s.out); err != nil {
		return err
	}
	log.Info("Written", "file", s.out)
	return r.table(os.Stdout)
}
