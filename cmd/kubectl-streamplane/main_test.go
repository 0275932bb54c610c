package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/streamplane/streamplane/controllers/operator"
	"github.com/streamplane/streamplane/controllers/platform/release"
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
	ctrl.SetLogger(logr.Discard())
	klog.SetLogger(logr.Discard())
	code, err := withPlane(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func withPlane(run func() int) (code int, err error) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		return 0, errors.New(`KUBEBUILDER_ASSETS is not set: run "make unit", which builds etcd and kube-apiserver and sets it`)
	}
	environment := &envtest.Environment{CRDDirectoryPaths: []string{"../../config/crd/bases"}, ErrorIfCRDPathMissing: true}
	cfg, err := environment.Start()
	if err != nil {
		return 0, fmt.Errorf("start control plane: %w", errors.Join(err, environment.Stop()))
	}
	defer func() { err = errors.Join(err, environment.Stop()) }()
	folder, err := os.MkdirTemp("", "kubectl-streamplane")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	plane.kubeconfig = filepath.Join(folder, "kubeconfig")
	scheme, err := operator.Scheme()
	if err != nil {
		return 0, err
	}
	plane.client, err = client.New(cfg, client.Options{Scheme: scheme})
	if err := errors.Join(err, os.WriteFile(plane.kubeconfig, environment.KubeConfig, 0o600)); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	mgr, err := operator.New(ctx, cfg, operator.Options{Catalog: images, Metrics: operator.Metrics{Address: "0"}, HealthAddress: "0"})
	if err != nil {
		cancel()
		return 0, err
	}
	stopped := make(chan error, 1)
	go func() { stopped <- mgr.Start(ctx) }()
	defer func() { cancel(); err = errors.Join(err, <-stopped) }()
	return run(), nil
}
