package component

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/streamplane/streamplane/hack/cluster/internal/layout"
	"github.com/streamplane/streamplane/hack/cluster/internal/supervisor"
)

const (
	apiServer = "kube-apiserver"
	addons    = "addons"
)

// Probes ask whether what others rely on is there.
type Probes struct {
	// API asks the API server.
	API func(context.Context) error
	// HTTP asks a health address.
	HTTP func(url string) func(context.Context) error
	// Socket tries to connect to a unix socket.
	Socket func(path string) func(context.Context) error
}

// ControlPlane lists the processes that there are once per cluster.
func (c Cluster) ControlPlane(probes Probes) []supervisor.Unit {
	address := c.Plan.ControlPlane().String()
	return []supervisor.Unit{
		c.unit(supervisor.Unit{Name: "etcd", Argv: c.etcd()}),
		c.unit(supervisor.Unit{Name: apiServer, Argv: c.apiServer(), Ready: probes.API}),
		c.unit(supervisor.Unit{Name: "kube-controller-manager", Argv: c.controllerManager(), After: []string{apiServer}}),
		c.unit(supervisor.Unit{Name: "kube-scheduler", Argv: c.scheduler(), After: []string{apiServer}}),
		{Name: addons, Prepare: c.applyAddons, After: []string{apiServer}},
		c.unit(supervisor.Unit{
			// Borrows the first node's name: without a node it waits 30 s before it starts.
			Name: "kube-proxy", Argv: c.proxy(layout.NodeName(1)), After: []string{apiServer},
		}),
		c.unit(supervisor.Unit{
			Name: "coredns", Prepare: c.writeCorefile, Argv: []string{c.tool("coredns"), "-conf", c.corefile()},
			After: []string{addons}, Ready: probes.HTTP("http://" + address + ":8181/ready"),
		}),
		c.unit(supervisor.Unit{Name: "metrics-server", Argv: c.metricsServer(), After: []string{addons}}),
		c.unit(supervisor.Unit{Name: "provisioner", Argv: c.provisioner(), After: []string{addons}}),
	}
}

// unit fills in where a control plane process runs.
func (c Cluster) unit(u supervisor.Unit) supervisor.Unit {
	u.Namespace = c.Paths.NamespaceFile("cp")
	u.Cgroup = c.Paths.ComponentCgroup(u.Name)
	return u
}

func (c Cluster) etcd() []string {
	return []string{
		c.tool("etcd"),
		"--data-dir=" + filepath.Join(c.Paths.State, "etcd"),
		"--listen-client-urls=http://127.0.0.1:2379", "--advertise-client-urls=http://127.0.0.1:2379",
		"--listen-peer-urls=http://127.0.0.1:2380", "--initial-advertise-peer-urls=http://127.0.0.1:2380",
		"--initial-cluster=default=http://127.0.0.1:2380",
		// A trial cluster may lose its data with the machine, not with a process.
		"--unsafe-no-fsync", "--log-level=warn",
	}
}

func (c Cluster) apiServer() []string {
	return []string{
		c.tool(apiServer),
		"--advertise-address=" + c.Plan.ControlPlane().String(),
		"--secure-port=6443",
		"--etcd-servers=http://127.0.0.1:2379",
		"--service-cluster-ip-range=" + c.Plan.Services().String(),
		"--allow-privileged=true",
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--client-ca-file=" + c.key("ca.crt"),
		"--tls-cert-file=" + c.key("apiserver.crt"), "--tls-private-key-file=" + c.key("apiserver.key"),
		"--kubelet-certificate-authority=" + c.key("ca.crt"),
		"--kubelet-client-certificate=" + c.key("apiserver-kubelet-client.crt"),
		"--kubelet-client-key=" + c.key("apiserver-kubelet-client.key"),
		"--kubelet-preferred-address-types=InternalIP",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + c.key("service-accounts.pub"),
		"--service-account-signing-key-file=" + c.key("service-accounts.key"),
		"--requestheader-client-ca-file=" + c.key(proxyAuthority+".crt"),
		"--requestheader-allowed-names=" + proxyClient,
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-username-headers=X-Remote-User",
		"--proxy-client-cert-file=" + c.key(proxyClient+".crt"), "--proxy-client-key-file=" + c.key(proxyClient+".key"),
		// Aggregated APIs run beside the API server, where no ClusterIP is needed.
		"--enable-aggregator-routing=true",
		// Pods leave a lost node soon: tests and people wait for it.
		"--default-not-ready-toleration-seconds=10", "--default-unreachable-toleration-seconds=10",
	}
}

func (c Cluster) controllerManager() []string {
	return []string{
		c.tool("kube-controller-manager"),
		"--kubeconfig=" + c.kubeconfig("controller-manager"),
		"--authentication-kubeconfig=" + c.kubeconfig("controller-manager"),
		"--authorization-kubeconfig=" + c.kubeconfig("controller-manager"),
		"--bind-address=127.0.0.1",
		// With election it would end whenever the API server restarts.
		"--leader-elect=false",
		"--use-service-account-credentials",
		"--root-ca-file=" + c.key("ca.crt"),
		"--service-account-private-key-file=" + c.key("service-accounts.key"),
		"--cluster-signing-cert-file=" + c.key("ca.crt"), "--cluster-signing-key-file=" + c.key("ca.key"),
		"--flex-volume-plugin-dir=" + filepath.Join(c.Paths.State, "volume-plugins"),
		"--node-monitor-grace-period=20s", "--node-monitor-period=2s",
		"--horizontal-pod-autoscaler-sync-period=5s",
		"--horizontal-pod-autoscaler-downscale-stabilization=30s",
		"--horizontal-pod-autoscaler-initial-readiness-delay=10s",
		"--horizontal-pod-autoscaler-cpu-initialization-period=30s",
	}
}

func (c Cluster) scheduler() []string {
	return []string{
		c.tool("kube-scheduler"),
		"--kubeconfig=" + c.kubeconfig("scheduler"),
		"--authentication-kubeconfig=" + c.kubeconfig("scheduler"),
		"--authorization-kubeconfig=" + c.kubeconfig("scheduler"),
		"--bind-address=127.0.0.1", "--leader-elect=false",
	}
}

// proxy is kube-proxy, in the name of a node.
func (c Cluster) proxy(node string) []string {
	return []string{
		c.tool("kube-proxy"),
		"--kubeconfig=" + c.kubeconfig("kube-proxy"),
		"--hostname-override=" + node,
		"--proxy-mode=nftables",
		"--conntrack-max-per-core=0",
		// What comes from outside of the pods is answered to this member of the LAN.
		"--detect-local-mode=ClusterCIDR", "--cluster-cidr=" + c.Plan.Pods().String(),
		"--healthz-bind-address=127.0.0.1", "--metrics-bind-address=127.0.0.1",
	}
}

func (c Cluster) metricsServer() []string {
	return []string{
		c.tool("metrics-server"),
		"--secure-port=4443",
		"--kubeconfig=" + c.kubeconfig("metrics-server"),
		"--authentication-kubeconfig=" + c.kubeconfig("metrics-server"),
		"--authorization-kubeconfig=" + c.kubeconfig("metrics-server"),
		"--tls-cert-file=" + c.key("metrics-server-server.crt"), "--tls-private-key-file=" + c.key("metrics-server-server.key"),
		"--kubelet-certificate-authority=" + c.key("ca.crt"),
		"--kubelet-preferred-address-types=InternalIP",
		"--metric-resolution=10s", "--kubelet-request-timeout=5s",
	}
}

func (c Cluster) provisioner() []string {
	return []string{
		c.tool("provisioner"), "-kubeconfig=" + c.kubeconfig("provisioner"), "-nodes=" + c.Paths.Nodes(),
	}
}

func (c Cluster) corefile() string { return filepath.Join(c.Paths.State, "coredns", "Corefile") }

func (c Cluster) writeCorefile(context.Context) error {
	return render("Corefile", c.corefile(), map[string]string{
		"Address": c.Plan.ControlPlane().String(), "Kubeconfig": c.kubeconfig("coredns"), "Context": Context(c.Paths.Name),
	})
}

// applyAddons creates the objects that the cluster itself needs.
func (c Cluster) applyAddons(ctx context.Context) error {
	bundle, err := os.ReadFile(c.key("ca.crt"))
	if err != nil {
		return fmt.Errorf("read the authority: %w", err)
	}
	file := filepath.Join(c.Paths.State, "addons.yaml")
	err = render("addons.yaml", file, map[string]string{
		"DNS": c.Plan.DNS().String(), "Address": c.Plan.ControlPlane().String(),
		"CABundle": base64.StdEncoding.EncodeToString(bundle),
	})
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, c.tool("kubectl"), "--kubeconfig="+c.Paths.Kubeconfig(),
		"apply", "--server-side", "--force-conflicts", "--field-manager=local-cluster", "--filename="+file).CombinedOutput()
	if err != nil {
		return fmt.Errorf("apply the cluster's own objects: %w: %s", err, out)
	}
	return nil
}
