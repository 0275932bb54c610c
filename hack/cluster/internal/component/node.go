package component

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/streamplane/streamplane/hack/cluster/internal/images"
	"github.com/streamplane/streamplane/hack/cluster/internal/layout"
	"github.com/streamplane/streamplane/hack/cluster/internal/supervisor"
)

// PauseArchive is the archive of the image that holds a pod's namespaces.
func PauseArchive(paths layout.Paths) string { return filepath.Join(paths.Images(), "pause.tar") }

// Node lists the processes of one node.
func (c Cluster) Node(number int, probes Probes) []supervisor.Unit {
	name := layout.NodeName(number)
	containerd, pause, kubelet, proxy := "containerd-"+name, "images-"+name, "kubelet-"+name, "kube-proxy-"+name
	policy := "network-policy-" + name
	socket := c.Paths.ContainerdSocket(number)
	units := []supervisor.Unit{
		{
			Name: containerd, Ready: probes.Socket(socket),
			Argv: []string{c.tool("containerd"), "--config", c.nodeFile(number, "containerd.toml"), "--log-level", "warn"},
			Prepare: func(context.Context) error {
				return errors.Join(c.writeContainerd(number), os.MkdirAll(c.Paths.NodeRun(number), 0o755))
			},
		},
		{Name: pause, After: []string{containerd}, Prepare: c.importPause(number)},
		{
			Name: policy, After: []string{addons}, Argv: c.networkPolicy(number), Ready: probes.Socket(c.policySocket(number)),
			Prepare: func(context.Context) error { return os.MkdirAll(c.Paths.NodeRun(number), 0o755) },
		},
		{
			// No pod runs before the policies do.
			Name: kubelet, After: []string{pause, policy}, Argv: c.kubelet(number),
			Prepare: func(context.Context) error { return c.writeKubelet(number) },
		},
		{Name: proxy, After: []string{apiServer}, Argv: c.proxy(name)},
	}
	for i := range units {
		units[i].Namespace = c.Paths.NamespaceFile(name)
		units[i].Cgroup = c.Paths.ComponentCgroup(units[i].Name)
	}
	return units
}

func (c Cluster) kubelet(number int) []string {
	name := layout.NodeName(number)
	return []string{
		c.tool("kubelet"),
		"--config=" + c.nodeFile(number, "kubelet.yaml"),
		"--kubeconfig=" + c.kubeconfig(name),
		"--root-dir=" + c.nodeFile(number, "kubelet"),
		"--hostname-override=" + name,
		"--node-ip=" + c.Plan.Node(number).String(),
		"--node-labels=topology.kubernetes.io/region=local,topology.kubernetes.io/zone=" + layout.Zone(number),
	}
}

func (c Cluster) networkPolicy(number int) []string {
	return []string{
		c.tool("network-policy"), "-kubeconfig=" + c.kubeconfig("network-policy"), "-node=" + layout.NodeName(number),
		"-ready-socket=" + c.policySocket(number),
	}
}

// policySocket listens once the policies are enforced.
func (c Cluster) policySocket(number int) string {
	return filepath.Join(c.Paths.NodeRun(number), "network-policy.sock")
}

func (c Cluster) writeContainerd(number int) error {
	dir := c.Paths.Node(number)
	err := render("containerd.toml", c.nodeFile(number, "containerd.toml"), map[string]string{
		"Dir": dir, "Run": c.Paths.NodeRun(number), "Socket": c.Paths.ContainerdSocket(number),
		"ShimSockets": c.Paths.ShimSockets(), "PauseImage": images.PauseReference,
		"Runc": c.Runc, "Bin": c.Bin,
	})
	if err != nil {
		return err
	}
	return render("cni.conflist", filepath.Join(dir, "cni", "10-streamplane.conflist"), map[string]string{
		"Dir": dir, "Pods": c.Plan.NodePods(number).String(),
	})
}

func (c Cluster) writeKubelet(number int) error {
	if err := os.MkdirAll(filepath.Join(c.Paths.Node(number), "volumes"), 0o755); err != nil {
		return fmt.Errorf("make the volume folder: %w", err)
	}
	return render("kubelet.yaml", c.nodeFile(number, "kubelet.yaml"), map[string]string{
		"Keys": c.Paths.Keys(), "Name": layout.NodeName(number), "Socket": c.Paths.ContainerdSocket(number),
		"DNS": c.Plan.DNS().String(), "Cgroup": c.Paths.NodeCgroup(number), "Dir": c.Paths.Node(number),
	})
}

// importPause loads the image that every pod needs.
func (c Cluster) importPause(number int) func(context.Context) error {
	return func(ctx context.Context) error {
		store := images.Store{Ctr: c.tool("ctr"), Socket: c.Paths.ContainerdSocket(number), Record: c.nodeFile(number, "images.json")}
		_, err := store.Load(ctx, PauseArchive(c.Paths))
		return err
	}
}

func (c Cluster) nodeFile(number int, name string) string {
	return filepath.Join(c.Paths.Node(number), name)
}
