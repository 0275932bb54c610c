package lifecycle

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/streamplane/streamplane/hack/cluster/internal/cgroup"
	"github.com/streamplane/streamplane/hack/cluster/internal/component"
	"github.com/streamplane/streamplane/hack/cluster/internal/images"
	"github.com/streamplane/streamplane/hack/cluster/internal/layout"
	"github.com/streamplane/streamplane/hack/cluster/internal/machine"
	"github.com/streamplane/streamplane/hack/cluster/internal/network"
	"github.com/streamplane/streamplane/hack/cluster/internal/spec"
)

// Up makes the cluster run with this number of nodes; 0 means as many as it
// has, or one.
func (l Local) Up(ctx context.Context, nodes int) error {
	if nodes < 0 || nodes > layout.MaxNodes {
		return fmt.Errorf("a cluster can have 1 to %d nodes", layout.MaxNodes)
	}
	unlock, err := l.lock()
	if err != nil {
		return err
	}
	defer unlock()
	entry, found, err := l.registry().Find(l.Paths.Name)
	if err != nil {
		return err
	}
	if found && entry.State != l.Paths.State {
		l.say("cluster %s was left by another checkout (%s): taking it down first", entry.Name, entry.State)
		if err := l.remove(entry); err != nil {
			return err
		}
		found = false
	}
	if found && l.current(ctx) {
		return l.keepUp(ctx, nodes)
	}
	return l.start(ctx, nodes)
}

// current reports whether the cluster runs as this version of ours would run it.
func (l Local) current(ctx context.Context) bool {
	report, err := l.control().Report(ctx)
	if err != nil {
		return false
	}
	r, err := l.describe()
	if err != nil {
		return false
	}
	wanted, err := r.fingerprint(l.Tools)
	switch {
	case err != nil:
		return false
	case wanted != report.Fingerprint:
		l.say("the cluster runs other programs or settings than these: starting it again")
		return false
	case !r.network().Whole(r.spec.Nodes):
		l.say("a part of the cluster's network is gone: starting it again")
		return false
	}
	return true
}

// keepUp brings a running cluster to what it should be.
func (l Local) keepUp(ctx context.Context, nodes int) error {
	r, err := l.describe()
	if err != nil {
		return err
	}
	if err := checkNodes(r.spec, nodes); err != nil {
		return err
	}
	for number := 1; number <= r.spec.Nodes; number++ {
		if node := layout.NodeName(number); r.network().CutOff(node) {
			l.say("healing %s, which was cut off", node)
			if err := r.network().Heal(node); err != nil {
				return err
			}
		}
	}
	if nodes > r.spec.Nodes {
		if err := r.grow(ctx, nodes); err != nil {
			return err
		}
		r.spec.Nodes = nodes
	}
	return r.waitHealthy(ctx)
}

// grow adds nodes to a running cluster.
func (r running) grow(ctx context.Context, nodes int) error {
	groups, err := cgroup.Detect()
	if err != nil {
		return err
	}
	if err := component.WriteKeys(r.Paths, r.plan, nodes, r.Now()); err != nil {
		return err
	}
	before := r.spec.Nodes
	for number := before + 1; number <= nodes; number++ {
		r.say("adding %s", layout.NodeName(number))
		if err := r.addNode(groups, number); err != nil {
			return err
		}
	}
	r.spec.Nodes = nodes
	if err := r.spec.Save(r.Paths.Spec()); err != nil {
		return err
	}
	if err := r.control().Reload(ctx); err != nil {
		return err
	}
	if err := r.waitHealthy(ctx); err != nil {
		return err
	}
	for number := before + 1; number <= nodes; number++ {
		if err := r.loadInto(ctx, number, r.spec.Images); err != nil {
			return err
		}
	}
	return nil
}

// start boots the cluster, on the data of an earlier run if there is some.
func (l Local) start(ctx context.Context, nodes int) error {
	old, again, err := l.earlier()
	if err != nil {
		return err
	}
	if again {
		if err := checkNodes(old, nodes); err != nil {
			return err
		}
	}
	// Data of an earlier run holds addresses: it needs the same range again.
	var slot *int
	if again {
		slot = &old.Slot
	}
	entry, err := l.registry().Claim(l.Paths.Name, l.Paths.State, slot, network.InUse)
	if err != nil {
		return err
	}
	if err := l.settings().Save(); err != nil {
		return err
	}
	if again {
		l.say("starting again on the data of an earlier run")
	}
	// A run that was killed can have left anything.
	if err := l.stop(entry); err != nil {
		return err
	}
	wanted := old
	wanted.Slot, wanted.Nodes, wanted.Tools = entry.Slot, max(nodes, old.Nodes, 1), l.Tools
	r, err := l.prepare(wanted)
	if err != nil {
		return err
	}
	if err := r.boot(ctx); err != nil {
		return err
	}
	for number := 1; number <= wanted.Nodes; number++ {
		if err := r.loadInto(ctx, number, wanted.Images); err != nil {
			return err
		}
	}
	return nil
}

// prepare makes everything that the processes need.
func (l Local) prepare(wanted spec.Spec) (running, error) {
	plan := layout.Plan{Slot: wanted.Slot}
	if err := makeFolders(l.Paths); err != nil {
		return running{}, err
	}
	// The description comes first: it tells the next run which addresses the keys hold.
	if err := wanted.Save(l.Paths.Spec()); err != nil {
		return running{}, err
	}
	if err := component.WriteKeys(l.Paths, plan, wanted.Nodes, l.Now()); err != nil {
		return running{}, err
	}
	if err := images.WritePause(filepath.Join(l.Tools, "pause"), component.PauseArchive(l.Paths)); err != nil {
		return running{}, err
	}
	groups, err := cgroup.Detect()
	if err != nil {
		return running{}, err
	}
	r, err := l.describe()
	if err != nil {
		return running{}, err
	}
	if err := r.network().Create(); err != nil {
		return running{}, err
	}
	for number := 1; number <= wanted.Nodes; number++ {
		// Runtime state of an earlier run names processes that are gone.
		for _, stale := range []string{"containerd/state", "cni-addresses"} {
			if err := os.RemoveAll(filepath.Join(l.Paths.Node(number), stale)); err != nil {
				return running{}, fmt.Errorf("clear %s: %w", stale, err)
			}
		}
		if err := r.addNode(groups, number); err != nil {
			return running{}, err
		}
	}
	return r, nil
}

func checkNodes(current spec.Spec, wanted int) error {
	if wanted > 0 && wanted < current.Nodes {
		return fmt.Errorf("the cluster has %d nodes and cannot shrink to %d: take it down first", current.Nodes, wanted)
	}
	return nil
}

// Requirements checks the machine, installs what is missing and checks the folder.
func (l Local) Requirements(ctx context.Context) error {
	if err := machine.Check(); err != nil {
		return err
	}
	if err := machine.CheckHosts("/etc/hosts"); err != nil {
		return err
	}
	if err := machine.Install(ctx, l.Out); err != nil {
		return err
	}
	if err := os.MkdirAll(l.Paths.State, 0o755); err != nil {
		return fmt.Errorf("make the cluster's folder: %w", err)
	}
	return machine.CheckFolder(l.Paths.State)
}
