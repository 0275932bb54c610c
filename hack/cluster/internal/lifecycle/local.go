// Package lifecycle brings clusters up, changes them while they run, and takes
// them down without a trace.
package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/streamplane/streamplane/hack/cluster/internal/cgroup"
	"github.com/streamplane/streamplane/hack/cluster/internal/component"
	"github.com/streamplane/streamplane/hack/cluster/internal/kube"
	"github.com/streamplane/streamplane/hack/cluster/internal/layout"
	"github.com/streamplane/streamplane/hack/cluster/internal/machine"
	"github.com/streamplane/streamplane/hack/cluster/internal/network"
	"github.com/streamplane/streamplane/hack/cluster/internal/registry"
	"github.com/streamplane/streamplane/hack/cluster/internal/spec"
	"github.com/streamplane/streamplane/hack/cluster/internal/supervisor"
)

// Local is one cluster on this machine.
type Local struct {
	// Paths are its name and its folder in this checkout.
	Paths layout.Paths
	// Tools is the folder of the programs.
	Tools string
	// Out receives progress.
	Out io.Writer
	// Now tells the time.
	Now func() time.Time
	// Patience is how long "up" waits until all is well.
	Patience time.Duration
}

// ErrNotRunning says that there is no such cluster.
var ErrNotRunning = errors.New("the cluster does not run; start it with: cluster up")

func (l Local) registry() registry.Registry { return registry.Registry{Root: layout.RunRoot} }

func (l Local) settings() machine.Settings {
	return machine.Settings{File: filepath.Join(layout.RunRoot, "settings.saved"), Root: "/proc/sys"}
}

func (l Local) control() supervisor.Control {
	return supervisor.Control{Socket: l.Paths.ControlSocket()}
}

func (l Local) say(format string, args ...any) {
	_, _ = fmt.Fprintf(l.Out, format+"\n", args...)
}

// lock keeps two commands from changing the cluster at the same time.
func (l Local) lock() (func(), error) {
	unlock, err := l.registry().TryLock(l.Paths.Name)
	if errors.Is(err, registry.ErrLocked) {
		l.say("waiting for another command on cluster %s", l.Paths.Name)
		return l.registry().Lock(l.Paths.Name)
	}
	return unlock, err
}

// running is a cluster that runs: what it should be and how to ask it.
type running struct {
	Local
	spec spec.Spec
	plan layout.Plan
	api  *kube.Client
}

// open finds the running cluster, whichever checkout started it.
func (l Local) open(ctx context.Context) (running, error) {
	if err := machine.Check(); err != nil {
		return running{}, err
	}
	entry, found, err := l.registry().Find(l.Paths.Name)
	if err != nil {
		return running{}, err
	}
	if !found {
		return running{}, ErrNotRunning
	}
	if _, err := l.control().Report(ctx); err != nil {
		return running{}, fmt.Errorf("%w (its supervisor has died)", ErrNotRunning)
	}
	l.Paths = entry.Paths()
	return l.describe()
}

// describe reads what the cluster should be.
func (l Local) describe() (running, error) {
	s, err := spec.Load(l.Paths.Spec())
	if err != nil {
		return running{}, err
	}
	plan := layout.Plan{Slot: s.Slot}
	api, err := kube.NewClient(component.APIServer(plan), l.Paths.Keys())
	if err != nil {
		return running{}, err
	}
	return running{Local: l, spec: s, plan: plan, api: api}, nil
}

func (r running) network() network.Network { return network.Network{Paths: r.Paths, Plan: r.plan} }

// addNode makes the network and the control group of a node.
func (r running) addNode(groups cgroup.Hierarchies, number int) error {
	if err := r.network().AddNode(number); err != nil {
		return err
	}
	group := r.Paths.NodeCgroup(number)
	return errors.Join(groups.Create(group), groups.Delegate(group))
}

// nodeNumber finds a node by its name.
func (r running) nodeNumber(name string) (int, error) {
	for number := 1; number <= r.spec.Nodes; number++ {
		if layout.NodeName(number) == name {
			return number, nil
		}
	}
	return 0, fmt.Errorf("cluster %s has no node %q: its nodes are node-1 to node-%d", r.Paths.Name, name, r.spec.Nodes)
}

// earlier reads what a run before this one left in the folder.
func (l Local) earlier() (spec.Spec, bool, error) {
	s, err := spec.Load(l.Paths.Spec())
	if errors.Is(err, fs.ErrNotExist) {
		return spec.Spec{}, false, nil
	}
	return s, err == nil, err
}

func makeFolders(paths layout.Paths) error {
	for _, folder := range []string{paths.Run(), paths.ShimSockets(), paths.Inside().State, paths.Logs(), paths.Images(), paths.Nodes()} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return fmt.Errorf("make folder: %w", err)
		}
	}
	return nil
}
