//go:build cluster

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// These tests run real clusters: they need root, and the tools that
// "cluster tools" builds.

// program builds the command once per test, as users run it.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cluster")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return path
}

// testCluster is a cluster of a checkout.
type testCluster struct {
	program string
	name    string
	cache   string
}

// newTestCheckout is a cache folder of its own with the tools of this one.
func newTestCheckout(t *testing.T) string {
	t.Helper()
	home, err := findCheckout()
	if err != nil {
		t.Fatal(err)
	}
	// On the same disk as the real cache: a temporary folder can be in memory.
	cache, err := os.MkdirTemp(home.cache, "test-") //nolint:usetesting // See above.
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(cache) })
	if err := os.Symlink(filepath.Join(home.cache, "tools"), filepath.Join(cache, "tools")); err != nil {
		t.Fatal(err)
	}
	return cache
}

func newTestCluster(t *testing.T, name string) testCluster {
	t.Helper()
	c := testCluster{program: program(t), name: name, cache: newTestCheckout(t)}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(c.try("status"))
		}
		c.must(t, "down")
		c.nothingLeft(t)
	})
	return c
}

func (c testCluster) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.program, append([]string{"--name", c.name}, args...)...)
	cmd.Env = append(os.Environ(), "STREAMPLANE_CACHE="+c.cache)
	return cmd
}

func (c testCluster) try(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	out, err := c.command(ctx, args...).CombinedOutput()
	return string(out), err
}

func (c testCluster) must(t *testing.T, args ...string) string {
	t.Helper()
	out, err := c.try(args...)
	if err != nil {
		t.Fatalf("cluster %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (c testCluster) kubectl(t *testing.T, args ...string) {
	t.Helper()
	args = append([]string{"--kubeconfig", filepath.Join(c.cache, "clusters", c.name, "kubeconfig")}, args...)
	out, err := exec.CommandContext(t.Context(), filepath.Join(c.cache, "tools", "bin", "kubectl"), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("kubectl %v: %v\n%s", args, err, out)
	}
}

// supervisor is the process that "status" names.
func (c testCluster) supervisor(t *testing.T) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^supervisor +running +(\d+) `).FindStringSubmatch(c.must(t, "status"))
	if found == nil {
		t.Fatal("status names no supervisor")
	}
	return found[1]
}

// nothingLeft looks for traces without the help of the program.
func (c testCluster) nothingLeft(t *testing.T) {
	t.Helper()
	var traces []string
	processes, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range processes {
		content, _ := os.ReadFile(path)
		if strings.Contains(string(content), "/run/streamplane/"+c.name+"/") || strings.Contains(string(content), "SUPERVISED="+c.name+"\x00") {
			traces = append(traces, "process "+path)
		}
	}
	mounts, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = mounts.Close() }()
	for lines := bufio.NewScanner(mounts); lines.Scan(); {
		for _, ours := range []string{"/run/streamplane/" + c.name + "/", "/clusters/" + c.name + "/", "/run/netns/sp-" + c.name + "-"} {
			if strings.Contains(lines.Text(), ours) {
				traces = append(traces, "mount "+lines.Text())
			}
		}
	}
	_ = filepath.WalkDir("/sys/fs/cgroup", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && strings.HasSuffix(path, "/streamplane/"+c.name) {
			traces = append(traces, "control group "+path)
		}
		return nil
	})
	for _, pattern := range []string{"/run/netns/sp-" + c.name + "-*", "/run/streamplane/" + c.name + "*", filepath.Join(c.cache, "clusters", c.name)} {
		found, _ := filepath.Glob(pattern)
		traces = append(traces, found...)
	}
	if len(traces) > 0 {
		t.Errorf("left behind:\n%s", strings.Join(traces, "\n"))
	}
}

// links are the machine's own links to clusters.
func links(t *testing.T) []string {
	t.Helper()
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, link := range all {
		if strings.HasSuffix(link.Name, "-host") {
			found = append(found, link.Name)
		}
	}
	return found
}

func TestClusterSurvivesItsSupervisor(t *testing.T) {
	before := links(t)
	c := newTestCluster(t, "test-life")
	c.must(t, "up")
	first := c.supervisor(t)
	if out := c.must(t, "up"); !strings.Contains(out, "is up") || c.supervisor(t) != first {
		t.Errorf("up of a running cluster is no no-op: %s", out)
	}
	c.kubectl(t, "create", "configmap", "kept")
	if out, err := c.try("up", "--nodes", "100"); err == nil {
		t.Errorf("100 nodes are accepted: %s", out)
	}

	if out, err := exec.CommandContext(t.Context(), "kill", "-9", first).CombinedOutput(); err != nil {
		t.Fatalf("kill: %v: %s", err, out)
	}
	for deadline := time.Now().Add(time.Minute); ; <-time.After(50 * time.Millisecond) {
		if out, err := c.try("status"); err != nil && strings.Contains(out, "supervisor has died") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("status does not notice")
		}
	}
	c.must(t, "up", "--nodes", "2")
	if second := c.supervisor(t); second == first {
		t.Error("the supervisor that was killed still runs")
	}
	c.kubectl(t, "get", "configmap", "kept")
	c.kubectl(t, "wait", "--for=condition=Ready", "node/node-2")
	if out, err := c.try("up", "--nodes", "1"); err == nil || !strings.Contains(out, "cannot shrink") {
		t.Errorf("up with fewer nodes: %v: %s", err, out)
	}

	c.must(t, "down")
	c.nothingLeft(t)
	if after := links(t); !slices.Equal(before, after) {
		t.Errorf("links before %v, after %v", before, after)
	}
	if out := c.must(t, "down"); !strings.Contains(out, "nothing to do") {
		t.Errorf("down of nothing: %s", out)
	}
	if out, err := c.try("status"); err == nil || !strings.Contains(out, "cluster up") {
		t.Errorf("status of nothing: %v: %s", err, out)
	}
}

// However far "up" came when it was killed, "down" leaves nothing and "up" heals.
func TestKilledUpLeavesNothing(t *testing.T) {
	bystander := newTestCluster(t, "test-by")
	bystander.must(t, "up")
	c := newTestCluster(t, "test-kill")
	for _, milliseconds := range []int{5, 20, 50, 100, 200, 400, 800, 1500, 3000} {
		after := time.Duration(milliseconds) * time.Millisecond
		t.Run(fmt.Sprint(after), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), after)
			defer cancel()
			cmd := c.command(ctx, "up")
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			if err := cmd.Run(); err == nil {
				t.Log("it was quicker")
			} else if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
				t.Fatalf("up: %v", err)
			}
			c.must(t, "down")
			c.nothingLeft(t)
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_ = c.command(ctx, "up").Run()
	c.must(t, "up")
	c.must(t, "status")
	bystander.must(t, "status")
}

func TestClustersStayApart(t *testing.T) {
	one, two := newTestCluster(t, "test-one"), newTestCluster(t, "test-two")
	one.must(t, "up")
	two.must(t, "up")
	first := one.supervisor(t)
	server := regexp.MustCompile(`https://10\.\d+\.`)
	if a, b := server.FindString(one.must(t, "status")), server.FindString(two.must(t, "status")); a == b {
		t.Errorf("both use %s", a)
	}

	// The same name from another checkout takes over, and says so.
	again := testCluster{program: two.program, name: two.name, cache: newTestCheckout(t)}
	if out := again.must(t, "up"); !strings.Contains(out, "another checkout") {
		t.Errorf("up does not tell that another checkout's cluster goes: %s", out)
	}
	if _, err := os.Stat(filepath.Join(two.cache, "clusters", two.name)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the other checkout's data: %v", err)
	}
	// The first checkout can remove it, too.
	two.must(t, "down")
	again.nothingLeft(t)
	if one.supervisor(t) != first {
		t.Error("the other cluster was touched")
	}
	one.kubectl(t, "get", "nodes")
}
