// Package registry remembers which clusters run on this machine, so that
// their address ranges never overlap, whichever checkout started them.
package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/streamplane/streamplane/hack/cluster/internal/layout"
)

// Entry is one cluster of this machine.
type Entry struct {
	// Name is the name of the cluster.
	Name string `json:"name"`
	// Slot picks its address range.
	Slot int `json:"slot"`
	// State is its folder on disk, in the checkout that started it.
	State string `json:"state"`
}

// Paths are the folders of the registered cluster.
func (e Entry) Paths() layout.Paths { return layout.Paths{Name: e.Name, State: e.State} }

// Plan is the address plan of the registered cluster.
func (e Entry) Plan() layout.Plan { return layout.Plan{Slot: e.Slot} }

// Registry is the folder with one file per cluster.
type Registry struct {
	// Root is the folder of the machine.
	Root string
}

// Find returns the cluster with this name, if there is one.
func (r Registry) Find(name string) (Entry, bool, error) {
	content, err := os.ReadFile(r.file(name))
	if errors.Is(err, fs.ErrNotExist) {
		return Entry{}, false, nil
	}
	if err != nil {
		return Entry{}, false, fmt.Errorf("read the registration of %s: %w", name, err)
	}
	var entry Entry
	if err := json.Unmarshal(content, &entry); err != nil {
		return Entry{}, false, fmt.Errorf("read the registration of %s: %w", name, err)
	}
	return entry, true, nil
}

// List returns every cluster of the machine.
func (r Registry) List() ([]Entry, error) {
	files, err := filepath.Glob(filepath.Join(r.Root, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("list clusters: %w", err)
	}
	var entries []Entry
	for _, file := range files {
		entry, found, err := r.Find(strings.TrimSuffix(filepath.Base(file), ".json"))
		if err != nil {
			return nil, err
		}
		if found {
			entries = append(entries, entry)
		}
	}
	return entries, nil
}

// Claim registers a cluster and gives it an address range that no other
// cluster uses and that inUse does not refuse. A wanted slot is the only one tried.
func (r Registry) Claim(name, state string, wanted *int, inUse func(layout.Plan) bool) (Entry, error) {
	unlock, err := r.Lock("registry")
	if err != nil {
		return Entry{}, err
	}
	defer unlock()
	entries, err := r.List()
	if err != nil {
		return Entry{}, err
	}
	slot, err := freeSlot(entries, name, wanted, inUse)
	if err != nil {
		return Entry{}, err
	}
	entry := Entry{Name: name, Slot: slot, State: state}
	return entry, r.write(entry)
}

// freeSlot is the first slot that nobody uses, or the wanted one.
func freeSlot(entries []Entry, name string, wanted *int, inUse func(layout.Plan) bool) (int, error) {
	taken := map[int]string{}
	for _, e := range entries {
		if e.Name != name {
			taken[e.Slot] = e.Name
		}
	}
	if wanted != nil {
		if owner, found := taken[*wanted]; found {
			return 0, fmt.Errorf("the address range of cluster %s is now used by cluster %s: take one of them down first", name, owner)
		}
		return *wanted, nil
	}
	for slot := range layout.Slots {
		if _, found := taken[slot]; !found && !inUse(layout.Plan{Slot: slot}) {
			return slot, nil
		}
	}
	return 0, fmt.Errorf("none of the %d address ranges is free: take a cluster down first", layout.Slots)
}

// Release forgets a cluster.
func (r Registry) Release(name string) error {
	if err := os.Remove(r.file(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the registration of %s: %w", name, err)
	}
	return nil
}

// ErrLocked says that another process holds a lock.
var ErrLocked = errors.New("locked by another process")

// Lock waits for, and takes, the lock with this name. The kernel drops it when the
// process ends, however it ends.
func (r Registry) Lock(name string) (func(), error) { return r.lock(name, syscall.LOCK_EX) }

// TryLock takes the lock with this name unless another process has it.
func (r Registry) TryLock(name string) (func(), error) {
	return r.lock(name, syscall.LOCK_EX|syscall.LOCK_NB)
}

func (r Registry) lock(name string, how int) (func(), error) {
	path := filepath.Join(r.Root, name+".lock")
	for {
		if err := os.MkdirAll(r.Root, 0o755); err != nil {
			return nil, fmt.Errorf("make %s: %w", r.Root, err)
		}
		file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
		if errors.Is(err, fs.ErrNotExist) {
			continue // the last cluster has just gone, with its folder
		}
		if err != nil {
			return nil, fmt.Errorf("open lock: %w", err)
		}
		err = syscall.Flock(int(file.Fd()), how)
		if err == nil && stillThere(file, path) {
			return func() { _ = file.Close() }, nil
		}
		_ = file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrLocked
		}
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
	}
}

// Clean removes the lock of a cluster that is gone, and the whole folder after
// the last one. The caller holds the lock.
func (r Registry) Clean(name string) error {
	if err := os.Remove(filepath.Join(r.Root, name+".lock")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove lock: %w", err)
	}
	entries, err := r.List()
	if err != nil || len(entries) > 0 {
		return err
	}
	left, err := os.ReadDir(r.Root)
	if err != nil || slices.ContainsFunc(left, func(e fs.DirEntry) bool { return e.Name() != "registry.lock" }) {
		return nil //nolint:nilerr // Somebody else's files are a reason to stay.
	}
	return os.RemoveAll(r.Root)
}

// stillThere reports whether the locked file is the one that others will lock.
func stillThere(file *os.File, path string) bool {
	locked, err := file.Stat()
	if err != nil {
		return false
	}
	current, err := os.Stat(path)
	return err == nil && os.SameFile(locked, current)
}

func (r Registry) write(entry Entry) error {
	content, err := json.MarshalIndent(entry, "", "  ")
	if err != nil {
		return fmt.Errorf("describe cluster: %w", err)
	}
	unfinished := r.file(entry.Name) + ".new"
	if err := os.WriteFile(unfinished, append(content, '\n'), 0o600); err != nil {
		return fmt.Errorf("register cluster: %w", err)
	}
	if err := os.Rename(unfinished, r.file(entry.Name)); err != nil {
		return fmt.Errorf("register cluster: %w", err)
	}
	return nil
}

func (r Registry) file(name string) string { return filepath.Join(r.Root, name+".json") }
