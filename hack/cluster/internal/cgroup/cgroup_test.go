package cgroup

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	cases := map[string]struct {
		table string
		want  Hierarchies
		fails bool
	}{
		"version 2": {
			table: "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 none rw,nsdelegate",
			want:  Hierarchies{Roots: []string{"/sys/fs/cgroup"}, Unified: true},
		},
		"version 1 with the unified tree beside it": {
			table: `24 1 0:20 / /sys/fs/cgroup rw - tmpfs none rw
25 24 0:21 / /sys/fs/cgroup/cpu rw - cgroup none rw,cpu
26 24 0:22 / /sys/fs/cgroup/systemd rw shared:3 - cgroup none rw,name=systemd
27 24 0:23 / /sys/fs/cgroup/unified rw - cgroup2 none rw`,
			want: Hierarchies{Roots: []string{"/sys/fs/cgroup/cpu", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"}},
		},
		"trees of containers and elsewhere are not ours": {
			table: `30 23 0:26 / /sys/fs/cgroup rw - cgroup2 none rw
31 23 0:26 /pods/x /var/lib/x/sys/fs/cgroup rw - cgroup2 none rw
32 23 0:26 /pods/x /sys/fs/cgroup/x rw - cgroup2 none rw`,
			want: Hierarchies{Roots: []string{"/sys/fs/cgroup"}, Unified: true},
		},
		"none": {table: "1 0 8:1 / / rw - ext4 /dev/root rw", fails: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := parse(bufio.NewScanner(strings.NewReader(tc.table)))
			if (err != nil) != tc.fails {
				t.Fatalf("parse: %v", err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// In version 1 a group without processors takes no process.
func TestProcessorsAreInheritedLevelByLevel(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"", "streamplane", "streamplane/demo"} {
		value := ""
		if dir == "" {
			value = "0-3"
		}
		write(t, filepath.Join(root, dir, "cpuset.cpus"), value)
		write(t, filepath.Join(root, dir, "cpuset.mems"), value)
	}
	if err := (Hierarchies{Roots: []string{root}}).Create("/streamplane/demo"); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
		if got := read(t, filepath.Join(root, "streamplane", "demo", file)); got != "0-3" {
			t.Errorf("%s = %q", file, got)
		}
	}
}

func TestVersion2DelegatesControllers(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"", "streamplane", "streamplane/demo"} {
		write(t, filepath.Join(root, dir, "cgroup.controllers"), "cpu\n")
	}
	h := Hierarchies{Roots: []string{root}, Unified: true}
	if err := h.Create("/streamplane/demo"); err != nil {
		t.Fatal(err)
	}
	if err := h.Delegate("/streamplane/demo"); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"", "streamplane", "streamplane/demo"} {
		if got := read(t, filepath.Join(root, dir, "cgroup.subtree_control")); got != "+cpu" {
			t.Errorf("%q: subtree_control = %q", dir, got)
		}
	}
}

func TestProcessesOfAllLevels(t *testing.T) {
	root, other := t.TempDir(), t.TempDir()
	write(t, filepath.Join(root, "streamplane/demo/a/cgroup.procs"), "11\n12\n")
	write(t, filepath.Join(root, "streamplane/demo/a/b/cgroup.procs"), "13\n")
	write(t, filepath.Join(other, "streamplane/demo/c/cgroup.procs"), "13\n14\n")
	write(t, filepath.Join(root, "streamplane/demo2/cgroup.procs"), "99\n")
	h := Hierarchies{Roots: []string{root, other}}
	got := map[int]bool{}
	for _, pid := range h.Processes("/streamplane/demo") {
		got[pid] = true
	}
	if diff := cmp.Diff(map[int]bool{11: true, 12: true, 13: true, 14: true}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
