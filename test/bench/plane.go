package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/streamplane/streamplane/api/v1alpha1"
	apiplane "github.com/streamplane/streamplane/internal/plane"
)

// Users of the API server, by whom the audit log tells requests apart.
const (
	operatorUser = "operator" // the program that is measured
	loopUser     = "loop"     // the bare loop beside it
	peopleUser   = "people"   // who write platforms and meddle with their objects
)

// Namespaces: the operator does not watch that of the loop.
const (
	modelNamespace = "model" // of the platform whose objects the loop applies
	benchNamespace = "bench"
	loopNamespace  = "loop"
)

// auditPolicy logs every request once, when it is answered; the bodies of the model only.
const auditPolicy = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
- {level: Request, users: [operator], verbs: [patch], namespaces: [model]}
- {level: Metadata, users: [operator, loop, people]}
- {level: None}
`

// plane is a control plane without any controller, and the log of what was asked of it.
type plane struct {
	environment *envtest.Environment
	folder      string
	audit       *auditLog
	kubeconfig  string // file, for the operator
	people      client.Client
	loop        dynamic.Interface
}

func startPlane(ctx context.Context, crds string) (p *plane, err error) {
	p = &plane{}
	if p.environment, err = apiplane.New(crds); err != nil {
		return nil, err
	}
	if p.folder, err = os.MkdirTemp("", "streamplane-bench-"); err != nil {
		return nil, fmt.Errorf("make folder: %w", err)
	}
	policy, log := filepath.Join(p.folder, "policy.yaml"), filepath.Join(p.folder, "audit.log")
	if err := errors.Join(os.WriteFile(policy, []byte(auditPolicy), 0o600), os.WriteFile(log, nil, 0o600)); err != nil {
		return nil, errors.Join(err, os.RemoveAll(p.folder))
	}
	p.environment.ControlPlane.GetAPIServer().Configure().
		Set("audit-policy-file", policy).Set("audit-log-path", log)
	if _, err := p.environment.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start control plane: %w", err), p.stop())
	}
	if err := p.connect(ctx, log); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

func (p *plane) stop() error { return errors.Join(p.environment.Stop(), os.RemoveAll(p.folder)) }

// connect makes the users and the namespaces.
func (p *plane) connect(ctx context.Context, log string) error {
	file, err := os.Open(log)
	if err != nil {
		return fmt.Errorf("open audit log: %w", err)
	}
	p.audit = follow(ctx, file)
	operator, err := p.user(operatorUser)
	if err != nil {
		return err
	}
	content, err := operator.KubeConfig()
	if err != nil {
		return fmt.Errorf("write kubeconfig: %w", err)
	}
	p.kubeconfig = filepath.Join(p.folder, "kubeconfig")
	if err := os.WriteFile(p.kubeconfig, content, 0o600); err != nil {
		return fmt.Errorf("write kubeconfig: %w", err)
	}
	loop, err := p.user(loopUser)
	if err != nil {
		return err
	}
	if p.loop, err = dynamic.NewForConfig(unlimited(loop.Config())); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	people, err := p.user(peopleUser)
	if err != nil {
		return err
	}
	if err := v1alpha1.AddToScheme(scheme.Scheme); err != nil {
		return fmt.Errorf("build scheme: %w", err)
	}
	if p.people, err = client.New(unlimited(people.Config()), client.Options{Scheme: scheme.Scheme}); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	for _, name := range []string{modelNamespace, benchNamespace, loopNamespace} {
		if err := p.people.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
			return fmt.Errorf("make namespace: %w", err)
		}
	}
	return nil
}

func (p *plane) user(name string) (*envtest.AuthenticatedUser, error) {
	user, err := p.environment.AddUser(envtest.User{Name: name, Groups: []string{"system:masters"}}, nil)
	if err != nil {
		return nil, fmt.Errorf("add user %s: %w", name, err)
	}
	return user, nil
}

// unlimited leaves it to the API server how much is asked at once, as the operator does.
func unlimited(cfg *rest.Config) *rest.Config {
	cfg = rest.CopyConfig(cfg)
	cfg.QPS = -1
	return cfg
}
