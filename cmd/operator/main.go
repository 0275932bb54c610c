// Command operator runs the Streamplane operator.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"
	_ "time/tzdata" // the image has no time zones

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/streamplane/streamplane/controllers/operator"
	"github.com/streamplane/streamplane/controllers/platform/release"
)

// version is set at link time.
var version = "dev"

const (
	exitFailure = 1
	exitUsage   = 64
)

func main() {
	s, err := parse(os.Args[1:], os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		fmt.Fprintln(os.Stderr, "operator:", err)
		os.Exit(exitUsage)
	case s.showVersion:
		_, _ = fmt.Fprintln(os.Stdout, "streamplane operator", version)
		return
	}
	if err := run(ctrl.SetupSignalHandler(), s); err != nil {
		slog.Error("Operator stopped", "error", err)
		os.Exit(exitFailure)
	}
}

// settings are the flags as given.
type settings struct {
	operator    operator.Options
	releases    string
	kubeconfig  string
	logLevel    slog.Level
	showVersion bool
}

func parse(args []string, out io.Writer) (settings, error) {
	home := os.Getenv("POD_NAMESPACE")
	s := settings{operator: operator.Options{Namespace: home, LeaderElectionNamespace: home}}
	flags := flag.NewFlagSet("operator", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&s.releases, "releases", "/etc/streamplane/releases.yaml", "`file` that lists the images of each release")
	flags.BoolVar(&s.operator.LeaderElect, "leader-elect", false, "let one of several replicas work at a time")
	flags.StringVar(&s.operator.LeaderElectionNamespace, "leader-election-namespace", s.operator.LeaderElectionNamespace,
		"`namespace` of the leader election lease (default: $POD_NAMESPACE)")
	flags.Func("watch-namespaces", "comma-separated `namespaces` to work in (default: all)", func(value string) (err error) {
		s.operator.WatchNamespaces, err = namespaces(value)
		return err
	})
	flags.BoolVar(&s.operator.WatchSecrets, "watch-secrets", true, "roll pods when a Secret changes that they use; false needs no right to Secrets")
	flags.DurationVar(&s.operator.DiscoveryInterval, "discovery-interval", 30*time.Second,
		"`time` between two looks for optional APIs: the Gateway API, the Prometheus operator, KEDA")
	flags.DurationVar(&s.operator.SignalsPeriod, "signals-period", 15*time.Second,
		"`time` between two readings of the metrics that services scale by")
	flags.StringVar(&s.operator.Metrics.Address, "metrics-bind-address", ":8443", "`address` of the Prometheus metrics; 0 switches them off")
	flags.BoolVar(&s.operator.Metrics.Secure, "metrics-secure", true, "serve metrics by HTTPS, to those who may get /metrics")
	flags.StringVar(&s.operator.Metrics.CertFolder, "metrics-cert-dir", "", "`folder` with tls.crt and tls.key for the metrics (default: a self-signed certificate)")
	flags.StringVar(&s.operator.HealthAddress, "health-probe-bind-address", ":8081", "`address` of /healthz and /readyz")
	flags.TextVar(&s.logLevel, "log-level", slog.LevelInfo, "least `level` that is logged: DEBUG, INFO, WARN or ERROR")
	flags.BoolVar(&s.showVersion, "version", false, "print the version and exit")
	flags.StringVar(&s.kubeconfig, "kubeconfig", os.Getenv("KUBECONFIG"), "`file` to reach a cluster from outside (default: $KUBECONFIG, else the pod's own account)")
	if err := flags.Parse(args); err != nil {
		return s, fmt.Errorf("parse flags: %w", err)
	}
	if s.operator.DiscoveryInterval < time.Second {
		return s, fmt.Errorf("--discovery-interval %s is less than a second", s.operator.DiscoveryInterval)
	}
	if s.operator.SignalsPeriod < time.Second {
		return s, fmt.Errorf("--signals-period %s is less than a second", s.operator.SignalsPeriod)
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("unexpected argument %q: only flags are taken, see --help", flags.Arg(0))
	}
	return s, nil
}

// namespaces splits a list; a typing error must not widen what the operator watches.
func namespaces(list string) ([]string, error) {
	if list == "" {
		return nil, nil
	}
	all := strings.Split(list, ",")
	for _, name := range all {
		if problems := validation.IsDNS1123Label(name); len(problems) > 0 {
			return nil, fmt.Errorf("namespace %q: %s", name, strings.Join(problems, ", "))
		}
	}
	return all, nil
}

func run(ctx context.Context, s settings) error {
	handler := slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: s.logLevel})
	slog.SetDefault(slog.New(handler))
	ctrl.SetLogger(logr.FromSlogHandler(handler))
	klog.SetLogger(logr.FromSlogHandler(handler))
	catalog, err := release.Load(s.releases)
	if err != nil {
		return err
	}
	s.operator.Catalog = catalog
	cfg, err := clientcmd.BuildConfigFromFlags("", s.kubeconfig)
	if err != nil {
		return fmt.Errorf("find cluster: %w", err)
	}
	mgr, err := operator.New(ctx, cfg, s.operator)
	if err != nil {
		return err
	}
	slog.Info("Starting operator", "version", version, "releases", catalog.Names())
	return mgr.Start(ctx)
}
