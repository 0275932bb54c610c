package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/streamplane/streamplane/hack/cluster/internal/forward"
	"github.com/streamplane/streamplane/hack/cluster/internal/kube"
	"github.com/streamplane/streamplane/hack/cluster/internal/spec"
	"github.com/streamplane/streamplane/hack/cluster/internal/supervisor"
)

// ParsePublication reads NAMESPACE/SERVICE:PORT and the address to listen on.
func ParsePublication(target, listen string) (spec.Publication, error) {
	service, port, ok := strings.Cut(target, ":")
	namespace, name, ok2 := strings.Cut(service, "/")
	if !ok || !ok2 || namespace == "" || name == "" || port == "" {
		return spec.Publication{}, fmt.Errorf("%q: want NAMESPACE/SERVICE:PORT, for example tv/acme-gateway:80", target)
	}
	if _, _, err := net.SplitHostPort(listen); err != nil {
		return spec.Publication{}, fmt.Errorf("address to listen on: %w", err)
	}
	return spec.Publication{Namespace: namespace, Service: name, Port: port, Listen: listen}, nil
}

// Publish lets a Service listen on the machine for as long as the cluster runs.
func (l Local) Publish(ctx context.Context, p spec.Publication) error {
	unlock, err := l.lock()
	if err != nil {
		return err
	}
	defer unlock()
	r, err := l.open(ctx)
	if err != nil {
		return err
	}
	if _, err := r.api.ServiceAddress(ctx, p.Namespace, p.Service, p.Port); err != nil {
		return err
	}
	before := r.spec
	before.Published = slices.Clone(before.Published)
	r.spec.Publish(p)
	if err := r.republish(ctx, p); err != nil {
		return errors.Join(err, before.Save(r.Paths.Spec()), r.control().Reload(ctx))
	}
	l.say("%s listens on %s", target(p), p.Listen)
	return nil
}

// republish lets the supervisor act on the changed description.
func (r running) republish(ctx context.Context, p spec.Publication) error {
	if err := r.spec.Save(r.Paths.Spec()); err != nil {
		return err
	}
	if err := r.control().Reload(ctx); err != nil {
		return err
	}
	report, err := r.control().Report(ctx)
	if err != nil {
		return err
	}
	for _, published := range report.Published {
		if published.Listen == p.Listen && published.Problem != "" {
			return fmt.Errorf("publish %s: %s", target(p), published.Problem)
		}
	}
	return nil
}

func target(p spec.Publication) string { return p.Namespace + "/" + p.Service + ":" + p.Port }

// publisher keeps the published Services listening.
type publisher struct {
	api *kube.Client
	now func() time.Time

	mu     sync.Mutex
	active []publication
}

type publication struct {
	spec    spec.Publication
	problem string
	stop    context.CancelFunc
}

// ensure starts what is wanted and does not listen, and stops what is not wanted.
func (p *publisher) ensure(ctx context.Context, wanted []spec.Publication) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.active = slices.DeleteFunc(p.active, func(a publication) bool {
		gone := a.problem != "" || !slices.Contains(wanted, a.spec)
		if gone {
			a.stop()
		}
		return gone
	})
	for _, w := range wanted {
		if !slices.ContainsFunc(p.active, func(a publication) bool { return a.spec == w }) {
			p.active = append(p.active, p.start(ctx, w))
		}
	}
}

func (p *publisher) start(ctx context.Context, w spec.Publication) publication {
	ctx, stop := context.WithCancel(ctx)
	listener, err := listen(ctx, w.Listen)
	if err != nil {
		return publication{spec: w, problem: err.Error(), stop: stop}
	}
	forwarder := forward.Forwarder{Target: p.resolver(w)}
	go func() { _ = forwarder.Serve(ctx, listener) }()
	return publication{spec: w, stop: stop}
}

// listen waits a moment for an address that is just being given up.
func listen(ctx context.Context, address string) (net.Listener, error) {
	var config net.ListenConfig
	for tries := 0; ; tries++ {
		listener, err := config.Listen(ctx, "tcp", address)
		if err == nil || tries == 20 {
			return listener, err //nolint:wrapcheck // It names the address.
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// resolver finds the ClusterIP and remembers it for a moment, and for as long
// as the API server does not answer.
func (p *publisher) resolver(w spec.Publication) func(context.Context) (string, error) {
	var mu sync.Mutex
	var known string
	var asked time.Time
	return func(ctx context.Context) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		if known != "" && p.now().Sub(asked) < 2*time.Second {
			return known, nil
		}
		address, err := p.api.ServiceAddress(ctx, w.Namespace, w.Service, w.Port)
		if err != nil && known == "" {
			return "", err
		}
		if err == nil {
			known = address
		}
		asked = p.now()
		return known, nil
	}
}

func (p *publisher) list() []supervisor.Published {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []supervisor.Published
	for _, a := range p.active {
		list = append(list, supervisor.Published{Listen: a.spec.Listen, Target: target(a.spec), Problem: a.problem})
	}
	return list
}
