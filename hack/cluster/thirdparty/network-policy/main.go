// Command network-policy enforces the NetworkPolicies of a cluster for the pods
// of one node. It runs in the network namespace of that node.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"reflect"
	"syscall"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/knftables"
)

const (
	tableName  = "streamplane-network-policy"
	retryAfter = time.Second
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "kubeconfig of the cluster")
	node := flag.String("node", "", "name of the node whose pods are filtered")
	ready := flag.String("ready-socket", "", "unix socket that listens once the policies are enforced")
	flag.Parse()
	if err := run(*kubeconfig, *node, *ready); err != nil {
		slog.Error("Network policies are no longer followed", "error", err)
		os.Exit(1)
	}
}

func run(kubeconfig, node, ready string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	nft, err := knftables.New(knftables.IPv4Family, tableName)
	if err != nil {
		return fmt.Errorf("find nftables: %w", err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("read kubeconfig: %w", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make client: %w", err)
	}
	// What happened before a start is not a socket that listens.
	if err := os.Remove(ready); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the socket of an earlier run: %w", err)
	}
	e := enforcer{node: node, ready: ready, nft: nft}
	if err := e.watch(ctx, client); err != nil {
		return err
	}
	return e.follow(ctx)
}

// enforcer keeps the rules of the node as the API server wants them.
type enforcer struct {
	node, ready string
	nft         knftables.Interface
	changed     chan struct{}
	read        func() (state, error)
}

// watch starts to mirror what policies depend on.
func (e *enforcer) watch(ctx context.Context, client kubernetes.Interface) error {
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithTransform(slim))
	pods, namespaces := factory.Core().V1().Pods(), factory.Core().V1().Namespaces()
	policies := factory.Networking().V1().NetworkPolicies()
	e.changed = make(chan struct{}, 1)
	notify := func(any) {
		select {
		case e.changed <- struct{}{}:
		default:
		}
	}
	for _, informer := range []cache.SharedIndexInformer{pods.Informer(), namespaces.Informer(), policies.Informer()} {
		_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc: notify, UpdateFunc: func(_, fresh any) { notify(fresh) }, DeleteFunc: notify,
		})
		if err != nil {
			return fmt.Errorf("watch: %w", err)
		}
	}
	factory.Start(ctx.Done())
	for kind, synced := range factory.WaitForCacheSync(ctx.Done()) {
		if !synced {
			return fmt.Errorf("no %v were read", kind)
		}
	}
	e.read = func() (state, error) {
		var s state
		var errs [3]error
		s.pods, errs[0] = pods.Lister().List(labels.Everything())
		s.namespaces, errs[1] = namespaces.Lister().List(labels.Everything())
		s.policies, errs[2] = policies.Lister().List(labels.Everything())
		return s, errors.Join(errs[:]...)
	}
	return nil
}

// slim drops what takes most of the memory and is never read.
func slim(object any) (any, error) {
	if accessor, err := apimeta.Accessor(object); err == nil {
		accessor.SetManagedFields(nil)
	}
	return object, nil
}

// follow applies every change until ctx is done.
func (e *enforcer) follow(ctx context.Context) error {
	var applied *filter
	for {
		wanted, err := e.apply(ctx, applied)
		if err != nil {
			slog.Error("The rules could not be changed", "error", err)
		} else if applied == nil {
			slog.Info("Enforcing", "node", e.node)
			listener, err := (&net.ListenConfig{}).Listen(ctx, "unix", e.ready)
			if err != nil {
				return fmt.Errorf("listen: %w", err)
			}
			defer func() { _ = listener.Close() }()
		}
		var retry <-chan time.Time
		if err != nil {
			retry = time.After(retryAfter)
		} else {
			applied = wanted
		}
		select {
		case <-ctx.Done():
			return nil
		case <-retry:
		case <-e.changed:
		}
	}
}

// apply replaces the rules in one step when they differ from the applied ones.
func (e *enforcer) apply(ctx context.Context, applied *filter) (*filter, error) {
	s, err := e.read()
	if err != nil {
		return nil, fmt.Errorf("read the mirror: %w", err)
	}
	wanted := compute(s, e.node)
	if applied != nil && reflect.DeepEqual(*applied, wanted) {
		return applied, nil
	}
	tx := e.nft.NewTransaction()
	write(tx, wanted)
	if err := e.nft.Run(ctx, tx); err != nil {
		return nil, fmt.Errorf("write rules: %w", err)
	}
	return &wanted, nil
}
