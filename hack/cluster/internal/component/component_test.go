package component

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/streamplane/streamplane/hack/cluster/internal/kube"
	"github.com/streamplane/streamplane/hack/cluster/internal/layout"
	"github.com/streamplane/streamplane/hack/cluster/internal/supervisor"
)

func cluster(t *testing.T) Cluster {
	t.Helper()
	return Cluster{
		Paths: layout.Paths{Name: "demo", State: t.TempDir()}, Plan: layout.Plan{Slot: 2},
		Bin: "/tools/bin", Runc: "/usr/sbin/runc",
	}
}

func units(c Cluster) []supervisor.Unit {
	none := Probes{}.none()
	return slices.Concat(c.ControlPlane(none), c.Node(1, none), c.Node(2, none))
}

// Names are unique, nothing waits for what does not exist, and every process
// has a place that "down" knows.
func TestUnitsFitTogether(t *testing.T) {
	c := cluster(t)
	all := units(c)
	names := map[string]bool{}
	for _, u := range all {
		if names[u.Name] {
			t.Errorf("two units are called %s", u.Name)
		}
		names[u.Name] = true
	}
	for _, u := range all {
		for _, before := range u.After {
			if !names[before] {
				t.Errorf("%s waits for %s, which does not exist", u.Name, before)
			}
		}
		if u.Argv == nil {
			continue
		}
		if !c.Paths.OwnsNamespace(filepath.Base(u.Namespace)) {
			t.Errorf("%s runs in namespace %q", u.Name, u.Namespace)
		}
		if !strings.HasPrefix(u.Cgroup, c.Paths.Cgroup()+"/") {
			t.Errorf("%s runs in control group %q", u.Name, u.Cgroup)
		}
	}
}

// Programs that run in the control plane find what they need by address alone.
func TestNothingReachesOutOfThePlan(t *testing.T) {
	c := cluster(t)
	for _, u := range units(c) {
		for _, argument := range u.Argv {
			if strings.Contains(argument, "10.200.") || strings.Contains(argument, "10.201.") {
				t.Errorf("%s uses an address of another cluster: %s", u.Name, argument)
			}
		}
	}
}

func TestKeysOpenEveryKubeconfig(t *testing.T) {
	c := cluster(t)
	if err := WriteKeys(c.Paths, c.Plan, 2, time.Now()); err != nil {
		t.Fatal(err)
	}
	for _, u := range units(c) {
		for _, argument := range u.Argv {
			_, path, found := strings.Cut(argument, "=")
			if !found || !strings.HasPrefix(path, c.Paths.Keys()) {
				continue
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s: %s: %v", u.Name, argument, err)
			}
		}
	}
	if _, err := kube.NewClient(APIServer(c.Plan), c.Paths.Keys()); err != nil {
		t.Errorf("administrator: %v", err)
	}
	content, err := os.ReadFile(c.Paths.Kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"https://10.202.0.2:6443", "current-context: streamplane-demo"} {
		if !strings.Contains(string(content), want) {
			t.Errorf("kubeconfig lacks %q", want)
		}
	}
	if server, err := url.Parse(APIServer(c.Plan)); err != nil || server.Hostname() != c.Plan.ControlPlane().String() {
		t.Errorf("server %v, %v", server, err)
	}
}

func TestConfigurationIsFilledIn(t *testing.T) {
	c := cluster(t)
	for _, write := range []func() error{
		func() error { return c.writeContainerd(2) },
		func() error { return c.writeKubelet(2) },
		func() error { return c.writeCorefile(t.Context()) },
	} {
		if err := write(); err != nil {
			t.Fatal(err)
		}
	}
	node := c.Paths.Node(2)
	cases := map[string][]string{
		filepath.Join(node, "containerd.toml"): {
			`address = "/run/streamplane/demo/node-2/containerd.sock"`, `socket_dir = "/run/streamplane/demo/s"`,
			`root = "` + node + `/containerd/root"`, `Root = "/run/streamplane/demo/node-2/runc"`, `BinaryName = "/usr/sbin/runc"`,
		},
		filepath.Join(node, "kubelet.yaml"): {
			`cgroupRoot: "/streamplane/demo/node-2"`, `clusterDNS: ["10.202.64.10"]`, `podLogsDir: "` + node + `/pod-logs"`,
		},
		filepath.Join(node, "cni", "10-streamplane.conflist"): {`"subnet": "10.202.130.0/24"`, node + `/cni-addresses`},
		c.corefile(): {"bind 10.202.0.2", "coredns.kubeconfig streamplane-demo"},
	}
	for path, wants := range cases {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range wants {
			if !strings.Contains(string(content), want) {
				t.Errorf("%s lacks %q:\n%s", filepath.Base(path), want, content)
			}
		}
	}
	network, err := os.ReadFile(filepath.Join(node, "cni", "10-streamplane.conflist"))
	if err != nil || !json.Valid(network) {
		t.Errorf("the pod network is no JSON: %v", err)
	}
}

func TestFingerprintFollowsProgramsAndSettings(t *testing.T) {
	c := cluster(t)
	programs := func(target string) string {
		dir := t.TempDir()
		if err := os.Symlink(target, filepath.Join(dir, "etcd")); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	fingerprint := func(c Cluster, dir string) string {
		got, err := c.Fingerprint(dir)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	want := fingerprint(c, programs("../etcd@1"))
	if got := fingerprint(c, programs("../etcd@1")); got != want {
		t.Error("the same programs and settings give another fingerprint")
	}
	if got := fingerprint(c, programs("../etcd@2")); got == want {
		t.Error("another program gives the same fingerprint")
	}
	c.Plan.Slot++
	if got := fingerprint(c, programs("../etcd@1")); got == want {
		t.Error("other settings give the same fingerprint")
	}
}
