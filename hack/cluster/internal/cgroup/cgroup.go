// Package cgroup puts every process of a cluster into control groups of its
// own, so that all of them can be found and ended. It knows versions 1 and 2.
package cgroup

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Hierarchies are the mounted trees of control groups of a machine.
type Hierarchies struct {
	// Roots are the mount points: one in version 2, one per controller in version 1.
	Roots []string
	// Unified is true when version 2 rules all controllers.
	Unified bool
}

// Detect reads the hierarchies from the mount table of this process.
func Detect() (Hierarchies, error) {
	file, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return Hierarchies{}, fmt.Errorf("read the mount table: %w", err)
	}
	defer func() { _ = file.Close() }()
	return parse(bufio.NewScanner(file))
}

func parse(lines *bufio.Scanner) (Hierarchies, error) {
	var found Hierarchies
	for lines.Scan() {
		before, after, ok := strings.Cut(lines.Text(), " - ")
		fields, kind := strings.Fields(before), strings.Fields(after)
		if !ok || len(fields) < 5 || len(kind) == 0 {
			continue
		}
		root, mountPoint := fields[3], fields[4]
		underTree := mountPoint == "/sys/fs/cgroup" || strings.HasPrefix(mountPoint, "/sys/fs/cgroup/")
		if !underTree || root != "/" || (kind[0] != "cgroup" && kind[0] != "cgroup2") {
			continue
		}
		found.Roots = append(found.Roots, mountPoint)
		found.Unified = found.Unified || (kind[0] == "cgroup2" && mountPoint == "/sys/fs/cgroup")
	}
	if err := lines.Err(); err != nil {
		return Hierarchies{}, fmt.Errorf("read the mount table: %w", err)
	}
	if len(found.Roots) == 0 {
		return Hierarchies{}, errors.New("no control groups are mounted below /sys/fs/cgroup")
	}
	return found, nil
}

// Create makes the group, level by level, in every hierarchy.
func (h Hierarchies) Create(group string) error {
	for _, root := range h.Roots {
		err := h.createIn(root, group)
		// Another cluster, the last one, may just have removed the folder above.
		for tries := 0; errors.Is(err, fs.ErrNotExist) && tries < 10; tries++ {
			err = h.createIn(root, group)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (h Hierarchies) createIn(root, group string) error {
	if h.Unified {
		if err := delegate(root); err != nil {
			return err
		}
	}
	path := root
	for level := range strings.SplitSeq(strings.Trim(group, "/"), "/") {
		parent := path
		path = filepath.Join(path, level)
		if err := os.Mkdir(path, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("make control group: %w", err)
		}
		if err := inheritCPUs(parent, path); err != nil {
			return err
		}
	}
	return nil
}

// Delegate lets the children of a group have controllers of their own; it
// does nothing in version 1, where that is always so.
func (h Hierarchies) Delegate(group string) error {
	if !h.Unified {
		return nil
	}
	path := h.Roots[0]
	for level := range strings.SplitSeq(strings.Trim(group, "/"), "/") {
		path = filepath.Join(path, level)
		if err := delegate(path); err != nil {
			return err
		}
	}
	return nil
}

// Join moves the calling process into the group.
func (h Hierarchies) Join(group string) error {
	for _, root := range h.Roots {
		path := filepath.Join(root, group, "cgroup.procs")
		if err := os.WriteFile(path, []byte(strconv.Itoa(os.Getpid())), 0); err != nil {
			return fmt.Errorf("join control group: %w", err)
		}
	}
	return nil
}

// Processes lists what runs in the group and below it.
func (h Hierarchies) Processes(group string) []int {
	var found []int
	for _, root := range h.Roots {
		walk(filepath.Join(root, group), func(dir string) {
			content, _ := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
			for field := range strings.FieldsSeq(string(content)) {
				if pid, err := strconv.Atoi(field); err == nil && pid > 0 && !slices.Contains(found, pid) {
					found = append(found, pid)
				}
			}
		})
	}
	return found
}

// Groups lists the group and the groups below it that exist.
func (h Hierarchies) Groups(group string) []string {
	var found []string
	for _, root := range h.Roots {
		walk(filepath.Join(root, group), func(dir string) { found = append(found, dir) })
	}
	return found
}

// Kill ends everything in the group and waits until it is gone.
func (h Hierarchies) Kill(group string, patience time.Duration) error {
	const pause = 20 * time.Millisecond
	for range int(patience / pause) {
		if h.Unified {
			// One write ends the whole tree, also what forks meanwhile.
			_ = os.WriteFile(filepath.Join(h.Roots[0], group, "cgroup.kill"), []byte("1"), 0)
		}
		pids := h.Processes(group)
		if len(pids) == 0 {
			return nil
		}
		h.thaw(group)
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		time.Sleep(pause)
	}
	return fmt.Errorf("processes of %s do not end: %v", group, h.Processes(group))
}

// Remove deletes the group and the groups below it.
func (h Hierarchies) Remove(group string) error {
	var errs []error
	for _, dir := range h.Groups(group) {
		errs = append(errs, removeWhenEmpty(dir))
	}
	// The folder above all clusters goes with the last one.
	for _, root := range h.Roots {
		_ = unix.Rmdir(filepath.Join(root, filepath.Dir(group)))
	}
	return errors.Join(errs...)
}

// thaw lets frozen processes receive the signal that ends them.
func (h Hierarchies) thaw(group string) {
	for _, dir := range h.Groups(group) {
		for file, value := range map[string]string{"freezer.state": "THAWED", "cgroup.freeze": "0"} {
			path := filepath.Join(dir, file)
			if _, err := os.Stat(path); err == nil {
				_ = os.WriteFile(path, []byte(value), 0)
			}
		}
	}
}

// removeWhenEmpty retries: the kernel counts an ended process for a moment longer.
func removeWhenEmpty(dir string) error {
	var err error
	for range 100 {
		if err = unix.Rmdir(dir); err == nil || errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("remove control group %s: %w", dir, err)
}

// walk visits the children before their parent.
func walk(dir string, visit func(string)) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if entry.IsDir() {
			walk(filepath.Join(dir, entry.Name()), visit)
		}
	}
	visit(dir)
}

// inheritCPUs fills the processors of a new version 1 group: it starts with
// none and would refuse every process.
func inheritCPUs(parent, child string) error {
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		current, err := os.ReadFile(filepath.Join(child, file))
		if errors.Is(err, fs.ErrNotExist) || strings.TrimSpace(string(current)) != "" {
			continue
		}
		if _, err := os.Stat(filepath.Join(child, file+".effective")); err == nil {
			continue // version 2 inherits by itself
		}
		value, err := os.ReadFile(filepath.Join(parent, file))
		if err != nil {
			return fmt.Errorf("read processors: %w", err)
		}
		if err := os.WriteFile(filepath.Join(child, file), value, 0); err != nil {
			return fmt.Errorf("set processors: %w", err)
		}
	}
	return nil
}

// delegate turns every available controller on for the children of a group.
func delegate(dir string) error {
	available, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	if err != nil {
		return fmt.Errorf("read controllers: %w", err)
	}
	for controller := range strings.FieldsSeq(string(available)) {
		err := os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte("+"+controller), 0)
		if errors.Is(err, syscall.EBUSY) {
			return fmt.Errorf("control group %s holds processes itself: inside a container, move them into a group of their own first", dir)
		}
		if err != nil && !errors.Is(err, syscall.ENOENT) && !errors.Is(err, syscall.EINVAL) {
			return fmt.Errorf("turn controller %s on: %w", controller, err)
		}
	}
	return nil
}
