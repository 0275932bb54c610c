//go:build cluster

package cgroup

import (
	"bufio"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// groups are the machine's own hierarchies, and those of version 2 alone where
// they are mounted beside version 1.
func groups(t *testing.T) map[string]Hierarchies {
	t.Helper()
	all, err := Detect()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]Hierarchies{"all": all}
	for _, root := range all.Roots {
		if _, err := os.Stat(root + "/cgroup.controllers"); err == nil {
			found["version 2"] = Hierarchies{Roots: []string{root}, Unified: true}
		}
	}
	return found
}

// Processes of a group and of the groups below it end; their groups go.
func TestKillAndRemove(t *testing.T) {
	for name, h := range groups(t) {
		t.Run(name, func(t *testing.T) {
			const group = "/streamplane/test-cgroup"
			t.Cleanup(func() { _ = h.Kill(group, 10*time.Second); _ = h.Remove(group) })
			for _, child := range []string{"/a", "/b/c"} {
				if err := h.Create(group + child); err != nil {
					t.Fatal(err)
				}
				run(t, h, group+child)
			}
			if got := h.Processes(group); len(got) < 4 {
				t.Fatalf("%d processes, want a shell and its child in two groups", len(got))
			}
			if err := h.Kill(group, 10*time.Second); err != nil {
				t.Fatal(err)
			}
			if err := h.Remove(group); err != nil {
				t.Fatal(err)
			}
			if left := h.Groups(group); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
		})
	}
}

// run starts a shell that joins the group, then starts a child.
func run(t *testing.T, h Hierarchies, group string) {
	t.Helper()
	var script strings.Builder
	for _, root := range h.Roots {
		script.WriteString("echo $$ > " + strconv.Quote(root+group+"/cgroup.procs") + " || exit 1\n")
	}
	script.WriteString("sleep 1000 &\necho joined\nwait\n")
	cmd := exec.CommandContext(t.Context(), "sh", "-c", script.String())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = cmd.Wait() }()
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "joined\n" {
		t.Fatalf("the shell says %q, %v", line, err)
	}
}
