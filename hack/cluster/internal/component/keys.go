package component

import (
	"encoding/base64"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/streamplane/streamplane/hack/cluster/internal/layout"
	"github.com/streamplane/streamplane/hack/cluster/internal/pki"
)

const (
	authority      = "ca"
	proxyAuthority = "front-proxy-ca"
	proxyClient    = "front-proxy-client"
	adminUser      = "admin"
)

// WriteKeys makes the certificates and kubeconfigs that do not exist yet.
func WriteKeys(paths layout.Paths, plan layout.Plan, nodes int, now time.Time) error {
	ca, err := pki.OpenAuthority(paths.Keys(), authority, now)
	if err != nil {
		return err
	}
	proxyCA, err := pki.OpenAuthority(paths.Keys(), proxyAuthority, now)
	if err != nil {
		return err
	}
	if err := proxyCA.Issue(proxyClient, pki.Subject{User: proxyClient}); err != nil {
		return err
	}
	if err := pki.SigningKey(paths.Keys(), "service-accounts"); err != nil {
		return err
	}
	for name, subject := range servers(plan) {
		if err := ca.Issue(name, subject); err != nil {
			return err
		}
	}
	users := users()
	for number := 1; number <= nodes; number++ {
		name := layout.NodeName(number)
		users[name] = pki.Subject{User: "system:node:" + name, Group: "system:nodes"}
		server := pki.Subject{User: "system:node:" + name, Names: []string{name}, Addresses: []netip.Addr{plan.Node(number), loopback()}}
		if err := ca.Issue(name+"-server", server); err != nil {
			return err
		}
	}
	for name, subject := range users {
		if err := ca.Issue(name, subject); err != nil {
			return err
		}
		if err := writeKubeconfig(paths, plan, name, filepath.Join(paths.Keys(), name+".kubeconfig")); err != nil {
			return err
		}
	}
	return writeKubeconfig(paths, plan, adminUser, paths.Kubeconfig())
}

func servers(plan layout.Plan) map[string]pki.Subject {
	return map[string]pki.Subject{
		"apiserver": {
			User: "kube-apiserver",
			Names: []string{
				"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "localhost",
			},
			Addresses: []netip.Addr{plan.ControlPlane(), plan.APIService(), loopback()},
		},
		"metrics-server-server": {
			User: "metrics-server", Names: []string{"metrics-server.kube-system.svc"},
			Addresses: []netip.Addr{plan.ControlPlane()},
		},
		"apiserver-kubelet-client": {User: "local-cluster:apiserver"},
	}
}

func users() map[string]pki.Subject {
	return map[string]pki.Subject{
		adminUser:            {User: "local-cluster:admin", Group: "system:masters"},
		"controller-manager": {User: "system:kube-controller-manager"},
		"scheduler":          {User: "system:kube-scheduler"},
		"kube-proxy":         {User: "system:kube-proxy"},
		"coredns":            {User: "local-cluster:coredns"},
		"metrics-server":     {User: "local-cluster:metrics-server"},
		"provisioner":        {User: "local-cluster:provisioner"},
		"network-policy":     {User: "local-cluster:network-policy"},
	}
}

func loopback() netip.Addr { return netip.AddrFrom4([4]byte{127, 0, 0, 1}) }

func writeKubeconfig(paths layout.Paths, plan layout.Plan, user, target string) error {
	encoded := map[string]string{}
	for field, file := range map[string]string{"CA": authority + ".crt", "Cert": user + ".crt", "Key": user + ".key"} {
		content, err := os.ReadFile(filepath.Join(paths.Keys(), file))
		if err != nil {
			return fmt.Errorf("read key of %s: %w", user, err)
		}
		encoded[field] = base64.StdEncoding.EncodeToString(content)
	}
	encoded["Server"], encoded["Context"] = APIServer(plan), Context(paths.Name)
	return render("kubeconfig.yaml", target, encoded)
}
