// Package tools builds the programs of the local cluster from pinned Go
// modules and keeps them in the cache folder.
package tools

import (
	"fmt"
	"slices"
)

// Tool is one program and how it is built.
type Tool struct {
	// Name is the file name of the program.
	Name string
	// Module is the folder below hack/cluster whose go.mod pins the program.
	Module string
	// Package is the import path of the program, "." for a main of our own.
	Package string
	// Tags are the build tags.
	Tags string
	// Flags are linker flags beside the common ones.
	Flags string
}

const (
	// KubernetesVersion is the release that the cluster runs.
	KubernetesVersion = "v1.36.3"

	// Without these kubectl and the API server refuse each other's version.
	kubernetesFlags = "-X k8s.io/component-base/version.gitVersion=" + KubernetesVersion +
		" -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36"
	containerdModule = "github.com/containerd/containerd/v2"
	containerdTags   = "no_btrfs,no_devmapper,no_zfs"
	containerdFlags  = "-X " + containerdModule + "/version.Version=v2.4.2"
	cniPlugins       = "github.com/containernetworking/plugins/plugins"
	helmFlags        = "-X helm.sh/helm/v4/internal/version.version=v4.3.1"
)

// All lists every tool, in the order that shares most of the build cache.
func All() []Tool {
	return []Tool{
		{Name: "pause", Module: "pause", Package: "."},
		{Name: "etcd", Module: "thirdparty/etcd", Package: "."},
		kubernetes("kube-apiserver"),
		kubernetes("kube-controller-manager"),
		kubernetes("kube-scheduler"),
		kubernetes("kubectl"),
		kubernetes("kubelet"),
		kubernetes("kube-proxy"),
		containerd("containerd"),
		containerd("containerd-shim-runc-v2"),
		containerd("ctr"),
		{Name: "ptp", Module: "thirdparty/cni", Package: cniPlugins + "/main/ptp"},
		{Name: "loopback", Module: "thirdparty/cni", Package: cniPlugins + "/main/loopback"},
		{Name: "host-local", Module: "thirdparty/cni", Package: cniPlugins + "/ipam/host-local"},
		{Name: "portmap", Module: "thirdparty/cni", Package: cniPlugins + "/meta/portmap"},
		{Name: "coredns", Module: "thirdparty/coredns", Package: "."},
		{Name: "metrics-server", Module: "thirdparty/metrics-server", Package: "sigs.k8s.io/metrics-server/cmd/metrics-server"},
		{Name: "provisioner", Module: "thirdparty/provisioner", Package: "."},
		{Name: "network-policy", Module: "thirdparty/network-policy", Package: "."},
		{Name: "helm", Module: "thirdparty/helm", Package: "helm.sh/helm/v4/cmd/helm", Flags: helmFlags},
	}
}

// Named returns the tools with these names, all of them for no name.
func Named(names []string) ([]Tool, error) {
	all := All()
	if len(names) == 0 {
		return all, nil
	}
	var found []Tool
	for _, name := range names {
		i := slices.IndexFunc(all, func(t Tool) bool { return t.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("no tool is called %q; there are %s", name, namesOf(all))
		}
		found = append(found, all[i])
	}
	return found, nil
}

func kubernetes(name string) Tool {
	return Tool{
		Name: name, Module: "thirdparty/kubernetes", Package: "k8s.io/kubernetes/cmd/" + name,
		Tags: "providerless", Flags: kubernetesFlags,
	}
}

func containerd(name string) Tool {
	return Tool{
		Name: name, Module: "thirdparty/containerd", Package: containerdModule + "/cmd/" + name,
		Tags: containerdTags, Flags: containerdFlags,
	}
}

func namesOf(tools []Tool) []string {
	var names []string
	for _, t := range tools {
		names = append(names, t.Name)
	}
	return names
}
