// Package network joins the parts of a cluster: a bridge in a namespace of its
// own, one namespace for the control plane and for each node, and one link to
// the machine.
package network

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/streamplane/streamplane/hack/cluster/internal/layout"
)

// createNamespace makes a named network namespace, as `ip netns add` does.
func createNamespace(file string) error {
	if err := os.MkdirAll(layout.NamespaceRoot, 0o755); err != nil {
		return fmt.Errorf("make %s: %w", layout.NamespaceRoot, err)
	}
	if err := os.WriteFile(file, nil, 0o444); err != nil {
		return fmt.Errorf("make %s: %w", file, err)
	}
	return onOwnThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("make a network namespace: %w", err)
		}
		if err := unix.Mount("/proc/thread-self/ns/net", file, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("keep the network namespace: %w", err)
		}
		return tuneNamespace()
	})
}

// tuneNamespace lets the namespace pass packets on. Files below /proc/sys/net
// belong to the namespace of the thread that opens them.
func tuneNamespace() error {
	for file, value := range map[string]string{
		"ipv4/ip_forward":             "1",
		"ipv4/conf/all/rp_filter":     "0",
		"ipv4/conf/default/rp_filter": "0",
	} {
		path := filepath.Join("/proc/sys/net", file)
		if err := os.WriteFile(path, []byte(value), 0); err != nil {
			return fmt.Errorf("set %s: %w", file, err)
		}
	}
	loopback, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find the loopback: %w", err)
	}
	if err := netlink.LinkSetUp(loopback); err != nil {
		return fmt.Errorf("start the loopback: %w", err)
	}
	return nil
}

// onOwnThread runs something on a thread that ends afterwards, because it can
// never return to the namespace it came from with certainty.
func onOwnThread(run func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		done <- run()
	}()
	return <-done
}

// Enter moves the calling thread into a named network namespace for good.
func Enter(file string) error {
	handle, err := netns.GetFromPath(file)
	if err != nil {
		return fmt.Errorf("open network namespace: %w", err)
	}
	defer func() { _ = handle.Close() }()
	if err := netns.Set(handle); err != nil {
		return fmt.Errorf("enter network namespace: %w", err)
	}
	return nil
}

// inside gives access to the links and routes of a namespace without entering it.
func inside(file string, use func(*netlink.Handle) error) error {
	ns, err := netns.GetFromPath(file)
	if err != nil {
		return fmt.Errorf("open network namespace %s: %w", filepath.Base(file), err)
	}
	defer func() { _ = ns.Close() }()
	handle, err := netlink.NewHandleAt(ns)
	if err != nil {
		return fmt.Errorf("look into network namespace %s: %w", filepath.Base(file), err)
	}
	defer handle.Close()
	return use(handle)
}

// removeNamespace undoes createNamespace, also when that was cut short.
func removeNamespace(file string) error {
	for {
		// More than one mount can lie on the file after a crash.
		err := unix.Unmount(file, unix.MNT_DETACH)
		if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("unmount %s: %w", file, err)
		}
		if err != nil {
			break
		}
	}
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", file, err)
	}
	return nil
}

// namespacesOf lists the cluster's named namespaces that exist.
func namespacesOf(paths layout.Paths) []string {
	entries, _ := os.ReadDir(layout.NamespaceRoot)
	var found []string
	for _, entry := range entries {
		if paths.OwnsNamespace(entry.Name()) {
			found = append(found, filepath.Join(layout.NamespaceRoot, entry.Name()))
		}
	}
	return found
}
