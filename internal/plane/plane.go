// Package plane has the control plane that API tests and measurements run against: a real
// etcd and kube-apiserver, and no controller at all.
package plane

import (
	"errors"
	"fmt"
	"os"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// Run starts a control plane with the CRDs of a folder, runs the tests of a
// package in it and ends the program. Use it in TestMain.
func Run(crds string, tests func(*envtest.Environment) (int, error)) {
	ctrl.SetLogger(logr.Discard())
	klog.SetLogger(logr.Discard())
	code, err := run(crds, tests)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(crds string, tests func(*envtest.Environment) (int, error)) (code int, err error) {
	environment, err := New(crds)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, environment.Stop()) }()
	if _, err := environment.Start(); err != nil {
		return 0, fmt.Errorf("start control plane: %w", err)
	}
	return tests(environment)
}

// New is a control plane with the CRDs of a folder, ready to start.
func New(crds string) (*envtest.Environment, error) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		return nil, errors.New("KUBEBUILDER_ASSETS is not set: use make, which builds etcd and kube-apiserver and sets it")
	}
	environment := &envtest.Environment{CRDDirectoryPaths: []string{crds}, ErrorIfCRDPathMissing: true}
	// The usual 254 addresses are not enough for the Services of all tests.
	environment.ControlPlane.GetAPIServer().Configure().Set("service-cluster-ip-range", "10.0.0.0/16")
	return environment, nil
}
