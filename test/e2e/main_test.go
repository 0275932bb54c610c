//go:build e2e

package e2e

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/controllers/operator"
)

// settings are what make e2e prepares.
type settings struct {
	kubectl   string
	helm      string
	plugin    string // kubectl-streamplane
	cluster   string // program that runs the local cluster
	name      string // of the local cluster
	artifacts string // folder for what explains a failure
	variant   string // a second image of the gateway
	probe     string // image that connects and is connected to
	facts     string // image of examples/nodejs-service
	samples   string // folder of the sample platforms
	values    string // Helm values that install the operator of this checkout

	factsVariant string // a second image of that
}

var (
	env  settings
	kube client.Client
)

func TestMain(m *testing.M) {
	if err := prepare(); err != nil {
		fmt.Fprintln(os.Stderr, "prepare end-to-end tests:", err, "\nRun them with: make e2e")
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func prepare() error {
	env = settings{
		kubectl:   os.Getenv("KUBECTL"),
		helm:      os.Getenv("HELM"),
		plugin:    os.Getenv("STREAMPLANE_PLUGIN"),
		cluster:   filepath.Join(os.Getenv("STREAMPLANE_CACHE"), "bin", "cluster"),
		name:      cmp.Or(os.Getenv("STREAMPLANE_CLUSTER"), "e2e"),
		artifacts: os.Getenv("STREAMPLANE_ARTIFACTS"),
		variant:   os.Getenv("STREAMPLANE_VARIANT"),
		probe:     os.Getenv("STREAMPLANE_PROBE"),
		facts:     os.Getenv("STREAMPLANE_FACTS"),
		samples:   filepath.Join("..", "..", "config", "samples"),
		values:    os.Getenv("STREAMPLANE_VALUES"),

		factsVariant: os.Getenv("STREAMPLANE_FACTS_VARIANT"),
	}
	for name, value := range map[string]string{
		"KUBECTL": env.kubectl, "STREAMPLANE_ARTIFACTS": env.artifacts, "STREAMPLANE_VARIANT": env.variant,
		"STREAMPLANE_PROBE": env.probe, "STREAMPLANE_FACTS": env.facts, "STREAMPLANE_FACTS_VARIANT": env.factsVariant,
		"HELM": env.helm, "STREAMPLANE_PLUGIN": env.plugin, "STREAMPLANE_VALUES": env.values,
	} {
		if value == "" {
			return fmt.Errorf("%s is not set", name)
		}
	}
	if err := os.MkdirAll(env.artifacts, 0o750); err != nil {
		return err
	}
	cfg, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return err
	}
	scheme, err := operator.Scheme()
	if err != nil {
		return err
	}
	kube, err = client.New(cfg, client.Options{Scheme: scheme})
	return err
}
