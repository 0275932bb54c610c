package main

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/streamplane/streamplane/controllers/operator"
)

func TestParse(t *testing.T) {
	t.Setenv("POD_NAMESPACE", "streamplane-system")
	t.Setenv("KUBECONFIG", "/env/kubeconfig")
	defaults := func(changes ...func(*settings)) settings {
		s := settings{
			operator: operator.Options{
				Metrics: operator.Metrics{Address: ":8443", Secure: true}, HealthAddress: ":8081", LeaderElectionNamespace: "streamplane-system",
				Namespace: "streamplane-system", WatchSecrets: true,
				DiscoveryInterval: 30 * time.Second, SignalsPeriod: 15 * time.Second,
			},
			releases:   "/etc/streamplane/releases.yaml",
			kubeconfig: "/env/kubeconfig",
			logLevel:   slog.LevelInfo,
		}
		for _, change := range changes {
			change(&s)
		}
		return s
	}
	cases := map[string]struct {
		args []string
		want settings
	}{
		"nothing":  {nil, defaults()},
		"releases": {[]string{"--releases=/x.yaml"}, defaults(func(s *settings) { s.releases = "/x.yaml" })},
		"leader election": {
			[]string{"--leader-elect", "--leader-election-namespace=elsewhere"},
			defaults(func(s *settings) { s.operator.LeaderElect, s.operator.LeaderElectionNamespace = true, "elsewhere" }),
		},
		"addresses": {
			[]string{"--metrics-bind-address=0", "--health-probe-bind-address=127.0.0.1:9"},
			defaults(func(s *settings) { s.operator.Metrics.Address, s.operator.HealthAddress = "0", "127.0.0.1:9" }),
		},
		"metrics": {
			[]string{"--metrics-secure=false", "--metrics-cert-dir=/certs"},
			defaults(func(s *settings) { s.operator.Metrics.Secure, s.operator.Metrics.CertFolder = false, "/certs" }),
		},
		"discovery": {
			[]string{"--discovery-interval=5m"}, defaults(func(s *settings) { s.operator.DiscoveryInterval = 5 * time.Minute }),
		},
		"signals":                    {[]string{"--signals-period=1m"}, defaults(func(s *settings) { s.operator.SignalsPeriod = time.Minute })},
		"namespaces":                 {[]string{"--watch-namespaces=tv,radio"}, defaults(func(s *settings) { s.operator.WatchNamespaces = []string{"tv", "radio"} })},
		"no Secrets":                 {[]string{"--watch-secrets=false"}, defaults(func(s *settings) { s.operator.WatchSecrets = false })},
		"all namespaces":             {[]string{"--watch-namespaces="}, defaults()},
		"log level in small letters": {[]string{"--log-level=debug"}, defaults(func(s *settings) { s.logLevel = slog.LevelDebug })},
		"kubeconfig":                 {[]string{"--kubeconfig="}, defaults(func(s *settings) { s.kubeconfig = "" })},
		"version":                    {[]string{"--version"}, defaults(func(s *settings) { s.showVersion = true })},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := parse(tc.args, io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			opts := cmp.Options{cmp.AllowUnexported(settings{}), cmpopts.IgnoreUnexported(operator.Options{})}
			if diff := cmp.Diff(tc.want, got, opts); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestBadFlags(t *testing.T) {
	cases := map[string]struct {
		arg, want string
	}{
		"unknown flag":  {"--relaeses=x", "relaeses"},
		"unknown level": {"--log-level=loud", "log-level"},
		"not a flag":    {"run", `"run"`},
		"no boolean":    {"--leader-elect=perhaps", "leader-elect"},
		"no namespace":  {"--watch-namespaces=tv,", `namespace ""`},
		"too often":     {"--discovery-interval=1ms", "discovery-interval"},
		"asks often":    {"--signals-period=1ms", "signals-period"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := parse([]string{tc.arg}, io.Discard)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v does not name %s", err, tc.want)
			}
		})
	}
}

func TestHelpNamesEveryFlag(t *testing.T) {
	var out bytes.Buffer
	if _, err := parse([]string{"--help"}, &out); !errors.Is(err, flag.ErrHelp) {
		t.Fatal(err)
	}
	for _, name := range []string{
		"releases", "leader-elect", "leader-election-namespace", "metrics-bind-address",
		"health-probe-bind-address", "log-level", "version", "kubeconfig", "watch-namespaces", "metrics-secure", "metrics-cert-dir", "watch-secrets",
		"discovery-interval", "signals-period",
	} {
		if !strings.Contains(out.String(), "-"+name) {
			t.Errorf("--%s is missing in:\n%s", name, out.String())
		}
	}
}

func TestRunNamesWhatIsMissing(t *testing.T) {
	folder := t.TempDir()
	catalog := filepath.Join(folder, "releases.yaml")
	if err := os.WriteFile(catalog, []byte("releases: [{name: a, images: {gateway: b}}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	kubeconfig := filepath.Join(folder, "kubeconfig")
	err := os.WriteFile(kubeconfig, []byte("{clusters: [{name: a, cluster: {server: http://127.0.0.1:1}}], contexts: [{name: a, context: {cluster: a}}], current-context: a}"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	cases := map[string]struct {
		settings settings
		want     string
	}{
		"no releases": {settings{releases: filepath.Join(folder, "none.yaml"), logLevel: slog.LevelError}, "none.yaml"},
		"no certificate": {
			settings{
				releases: catalog, kubeconfig: kubeconfig, logLevel: slog.LevelError,
				operator: operator.Options{Metrics: operator.Metrics{Secure: true, CertFolder: folder}},
			},
			"tls.crt",
		},
		"no kubeconfig": {settings{releases: catalog, kubeconfig: filepath.Join(folder, "config"), logLevel: slog.LevelError}, "config"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := run(t.Context(), tc.settings)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%v does not name %s", err, tc.want)
			}
		})
	}
}
