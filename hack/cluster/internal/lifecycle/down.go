package lifecycle

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/streamplane/streamplane/hack/cluster/internal/cgroup"
	"github.com/streamplane/streamplane/hack/cluster/internal/layout"
	"github.com/streamplane/streamplane/hack/cluster/internal/machine"
	"github.com/streamplane/streamplane/hack/cluster/internal/network"
	"github.com/streamplane/streamplane/hack/cluster/internal/registry"
)

// killLimit is how long killed processes may take to end.
const killLimit = 30 * time.Second

// Down removes the cluster, whichever checkout started it and whatever state
// it is in. Without a cluster it does nothing.
func (l Local) Down() error {
	if err := machine.Check(); err != nil {
		return err
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
	if !found {
		if entry, err = l.unregistered(); err != nil {
			return err
		}
		if !exists(entry.State) && len(traces(entry)) == 0 {
			l.say("cluster %s does not exist: nothing to do", l.Paths.Name)
			return l.registry().Clean(l.Paths.Name)
		}
	}
	if err := l.remove(entry); err != nil {
		return err
	}
	return l.registry().Clean(l.Paths.Name)
}

// unregistered describes what is left of a cluster that is not registered: a
// restart of the machine forgets registrations, but not folders.
func (l Local) unregistered() (registry.Entry, error) {
	entry := registry.Entry{Name: l.Paths.Name, Slot: layout.NoSlot, State: l.Paths.State}
	others, err := l.registry().List()
	if err != nil {
		return registry.Entry{}, err
	}
	// A description that was cut short says nothing, and is on its way out.
	old, again, _ := l.earlier()
	taken := slices.ContainsFunc(others, func(e registry.Entry) bool { return e.Slot == old.Slot })
	if again && !taken {
		entry.Slot = old.Slot
	}
	return entry, nil
}

// remove takes a cluster away with all of its data, and checks that nothing is left.
func (l Local) remove(entry registry.Entry) error {
	paths := entry.Paths()
	if err := l.stop(entry); err != nil {
		return err
	}
	if err := os.RemoveAll(paths.State); err != nil {
		return fmt.Errorf("remove %s: %w", paths.State, err)
	}
	l.say("removed %s", paths.State)
	if left := traces(entry); len(left) > 0 {
		return fmt.Errorf("cluster %s left something behind:\n%s", entry.Name, strings.Join(left, "\n"))
	}
	// The registration goes last: until then another attempt knows where to look.
	if err := l.registry().Release(entry.Name); err != nil {
		return err
	}
	others, err := l.registry().List()
	if err != nil || len(others) > 0 {
		return err
	}
	return l.settings().Restore()
}

// stop ends every process of a cluster and takes away everything but its data.
func (l Local) stop(entry registry.Entry) error {
	paths := entry.Paths()
	groups, err := cgroup.Detect()
	if err != nil {
		return err
	}
	processes := groups.Processes(paths.Cgroup())
	machine.KillMarked(entry.Name)
	if err := groups.Kill(paths.Cgroup(), killLimit); err != nil {
		return err
	}
	// What was just being started when the groups were emptied.
	machine.KillMarked(entry.Name)
	if err := groups.Kill(paths.Cgroup(), killLimit); err != nil {
		return err
	}
	l.count("ended %d processes", len(processes))
	net := network.Network{Paths: paths, Plan: entry.Plan()}
	for _, thing := range net.Left() {
		l.say("removing %s", thing)
	}
	if err := net.Remove(); err != nil {
		return err
	}
	if err := machine.Unmount(paths.State, paths.Run()); err != nil {
		return err
	}
	l.count("removing %d control groups", len(groups.Groups(paths.Cgroup())))
	if err := groups.Remove(paths.Cgroup()); err != nil {
		return err
	}
	if err := os.RemoveAll(paths.Run()); err != nil {
		return fmt.Errorf("remove %s: %w", paths.Run(), err)
	}
	return nil
}

func (l Local) count(format string, number int) {
	if number > 0 {
		l.say(format, number)
	}
}

// traces lists what there is of a cluster on the machine.
func traces(entry registry.Entry) []string {
	paths := entry.Paths()
	left := network.Network{Paths: paths, Plan: entry.Plan()}.Left()
	groups, err := cgroup.Detect()
	if err != nil {
		left = append(left, err.Error())
	}
	for _, pid := range append(groups.Processes(paths.Cgroup()), machine.Marked(entry.Name)...) {
		left = append(left, fmt.Sprintf("process %d", pid))
	}
	for _, group := range groups.Groups(paths.Cgroup()) {
		left = append(left, "control group "+group)
	}
	mounts, err := machine.MountsBelow(paths.State, paths.Run())
	if err != nil {
		left = append(left, err.Error())
	}
	for _, point := range mounts {
		left = append(left, "mount "+point)
	}
	for _, folder := range []string{paths.State, paths.Run()} {
		if exists(folder) {
			left = append(left, "folder "+folder)
		}
	}
	return left
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, os.ErrNotExist)
}
