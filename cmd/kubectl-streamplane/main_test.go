package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/streamplane/streamplane/controllers/operator"
	"github.com/streamplane/streamplane/controllers/platform/release"
	apiplane "github.com/streamplane/streamplane/internal/plane"
)

// plane is a control plane with the operator at work.
var plane struct {
	kubeconfig string
	client     client.Client
}

// images are the releases that the operator in the tests knows.
var images = release.Catalog{Releases: []release.Release{{Name: "1.0.0", Images: map[string]string{
	"gateway": "registry.test/gateway:1", "streaming": "registry.test/streaming:1", "sample-media": "registry.test/sample-media:1",
}}}}

func TestMain(m *testing.M) {
	apiplane.Run("../../config/crd/bases", func(environment *envtest.Environment) (code int, err error) {
		folder, err := os.MkdirTemp("", "kubectl-streamplane")
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
		plane.kubeconfig = filepath.Join(folder, "kubeconfig")
		if err := os.WriteFile(plane.kubeconfig, environment.KubeConfig, 0o600); err != nil {
			return 0, err
		}
		return withOperator(environment.Config, m.Run)
	})
}

// withOperator runs the tests while the operator works.
func withOperator(cfg *rest.Config, run func() int) (code int, err error) {
	scheme, err := operator.Scheme()
	if err != nil {
		return 0, err
	}
	plane.client, err = client.New(cfg, client.Options{Scheme: scheme})
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	mgr, err := operator.New(ctx, cfg, operator.Options{Catalog: images, Metrics: operator.Metrics{Address: "0"}, HealthAddress: "0"})
	if err != nil {
		return 0, err
	}
	stopped := make(chan error, 1)
	go func() { stopped <- mgr.Start(ctx) }()
	code = run()
	cancel()
	return code, <-stopped
}
