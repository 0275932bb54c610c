//go:build cluster

package main

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// policyWorld has servers on two nodes that let in friends only, and others.
const policyWorld = `
apiVersion: v1
kind: Namespace
metadata: {name: one}
---
apiVersion: v1
kind: Namespace
metadata: {name: two, labels: {team: two}}
---
apiVersion: v1
kind: Service
metadata: {name: servers, namespace: one}
spec: {selector: {app: server}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: servers, namespace: one}
spec:
  podSelector: {matchLabels: {app: server}}
  ingress:
  - {from: [{podSelector: {matchLabels: {friend: "yes"}}}], ports: [{port: 8080}]}
  - {from: [{namespaceSelector: {matchLabels: {team: two}}}], ports: [{port: extra}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: jailed, namespace: one}
spec:
  podSelector: {matchLabels: {app: jailed}}
  policyTypes: [Egress]
  egress:
  - {to: [{podSelector: {matchLabels: {app: server}}}], ports: [{port: 8000, endPort: 8080}]}
  - {ports: [{port: 53, protocol: UDP}, {port: 53}]}
`

const policyPod = `
---
apiVersion: v1
kind: Pod
metadata: {name: NAME, namespace: NAMESPACE, labels: {app: APP, friend: "FRIEND"}}
spec:
  nodeName: NODE
  terminationGracePeriodSeconds: 0
  containers:
  - name: probe
    image: IMAGE
    args: [serve, "8080", "9090"]
    ports: [{name: http, containerPort: 8080}, {name: extra, containerPort: 9090}]
    readinessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1}
`

// probeImage makes the image of the program at both ends of the connections.
func probeImage(t *testing.T, folder string) (reference, archive string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "run", "../images", "-root=../..", "-out="+folder, "variant", "probe", "test")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("build the probe's image: %v", err)
	}
	return strings.TrimSpace(string(out)), filepath.Join(folder, "probe-test.tar")
}

func (c testCluster) output(ctx context.Context, args ...string) (string, error) {
	args = append([]string{"--kubeconfig", filepath.Join(c.cache, "clusters", c.name, "kubeconfig")}, args...)
	out, err := exec.CommandContext(ctx, filepath.Join(c.cache, "tools", "bin", "kubectl"), args...).CombinedOutput()
	return string(out), err
}

// address of a pod or a Service.
func (c testCluster) address(t *testing.T, namespace, kind, name, field string) string {
	t.Helper()
	out, err := c.output(t.Context(), "get", kind, name, "--namespace", namespace, "--output", "jsonpath={"+field+"}")
	if err != nil || out == "" {
		t.Fatalf("address of %s: %v %s", name, err, out)
	}
	return out
}

// outcomes says for each target whether a pod reaches it.
func (c testCluster) outcomes(t *testing.T, namespace, pod string, targets []string) map[string]string {
	t.Helper()
	args := append([]string{"exec", "--namespace", namespace, pod, "--", "/bin/probe", "connect"}, targets...)
	out, err := c.output(t.Context(), args...)
	if err != nil {
		t.Fatalf("exec in %s: %v\n%s", pod, err, out)
	}
	all := map[string]string{}
	for line := range strings.Lines(out) {
		target, outcome, _ := strings.Cut(strings.TrimSpace(line), " ")
		all[target] = outcome
	}
	return all
}

// Real connections between real pods, within a node, between nodes, through a
// Service, from the machine and from probes of the kubelet.
func TestNetworkPolicyIsEnforced(t *testing.T) {
	c := newTestCluster(t, "test-net")
	reference, archive := probeImage(t, c.cache)
	c.must(t, "up", "--nodes", "2")
	c.must(t, "load", archive)
	manifest := policyWorld
	for _, p := range []struct{ name, namespace, app, friend, node string }{
		{"server-1", "one", "server", "", "node-1"},
		{"server-2", "one", "server", "", "node-2"},
		{"friend", "one", "friend", "yes", "node-1"},
		{"stranger", "one", "stranger", "", "node-1"},
		{"jailed", "one", "jailed", "yes", "node-2"},
		{"other", "two", "other", "", "node-2"},
	} {
		manifest += strings.NewReplacer("NAMESPACE", p.namespace, "NAME", p.name, "APP", p.app, "FRIEND", p.friend,
			"NODE", p.node, "IMAGE", reference).Replace(policyPod)
	}
	file := filepath.Join(t.TempDir(), "world.yaml")
	if err := os.WriteFile(file, []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, namespace := range []string{"one", "two"} { // what makes the ServiceAccount that pods need
		c.kubectl(t, "create", "namespace", namespace)
		c.kubectl(t, "wait", "--for=create", "serviceaccount/default", "--namespace", namespace)
	}
	c.kubectl(t, "apply", "--filename", file)
	// The kubelet's probes pass although nobody admits them.
	for _, namespace := range []string{"one", "two"} {
		c.kubectl(t, "wait", "--for=condition=Ready", "pod", "--all", "--namespace", namespace, "--timeout=120s")
	}
	places := map[string]string{
		"service": c.address(t, "one", "service", "servers", ".spec.clusterIP"),
		"api":     c.address(t, "default", "service", "kubernetes", ".spec.clusterIP"),
		"dns":     c.address(t, "kube-system", "service", "kube-dns", ".spec.clusterIP"),
		"other":   c.address(t, "two", "pod", "other", ".status.podIP"),
	}
	for _, pod := range []string{"server-1", "server-2", "friend", "stranger", "jailed"} {
		places[pod] = c.address(t, "one", "pod", pod, ".status.podIP")
	}
	places["node-1"] = c.address(t, "one", "pod", "server-1", ".status.hostIP")
	places["node-2"] = c.address(t, "one", "pod", "jailed", ".status.hostIP")
	cases := map[string]struct{ allowed, denied string }{
		"friend":   {"server-1:8080 server-2:8080 service:80 stranger:9090 api:443 other:9090", "server-1:9090 server-2:9090 server-1:8080/udp"},
		"stranger": {"friend:8080 jailed:8080 other:8080/udp api:443 dns:53", "server-1:8080 server-2:8080 service:80 server-2:9090"},
		"jailed":   {"server-1:8080 server-2:8080 service:80 dns:53", "server-1:9090 api:443 friend:8080 stranger:8080 other:8080 node-1:10250 node-2:10250"},
		"other":    {"server-1:9090 server-2:9090 friend:8080 jailed:9090", "server-1:8080 server-2:8080 service:80"},
		"server-1": {"server-1:9090 friend:8080 api:443", "server-2:8080"},
	}
	for pod, tc := range cases {
		t.Run(pod, func(t *testing.T) {
			namespace := "one"
			if pod == "other" {
				namespace = "two"
			}
			c.expect(t, namespace+"/"+pod, places, tc.allowed, tc.denied)
		})
	}
	t.Run("the machine", func(t *testing.T) {
		for target, want := range map[string]bool{"server-1": false, "server-2": false, "stranger": true} {
			conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(t.Context(), "tcp", places[target]+":8080")
			if err == nil {
				_ = conn.Close()
			}
			if (err == nil) != want {
				t.Errorf("to %s: %v", target, err)
			}
		}
	})
	t.Run("without policies", func(t *testing.T) {
		c.kubectl(t, "delete", "networkpolicy", "--all", "--namespace", "one")
		c.expect(t, "one/stranger", places, "server-1:8080 server-2:8080 service:80 server-2:9090", "")
		c.expect(t, "one/jailed", places, "api:443 friend:8080", "")
	})
}

// expect asks a pod, NAMESPACE/NAME, until the answers are the wanted ones:
// rules follow the API server within moments.
func (c testCluster) expect(t *testing.T, from string, places map[string]string, allowed, denied string) {
	t.Helper()
	namespace, pod, _ := strings.Cut(from, "/")
	name := map[string]string{} // of an address
	wanted := map[string]bool{}
	var targets []string
	for i, list := range []string{allowed, denied} {
		for path := range strings.FieldsSeq(list) {
			place, port, _ := strings.Cut(path, ":")
			target := places[place] + ":" + port
			name[target], wanted[target] = path, i == 0
			targets = append(targets, target)
		}
	}
	deadline := time.Now().Add(30 * time.Second)
	for {
		var wrong []string
		for target, outcome := range c.outcomes(t, namespace, pod, targets) {
			if (outcome == "ok") != wanted[target] {
				wrong = append(wrong, name[target]+": "+outcome)
			}
		}
		if len(wrong) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("from %s: %s", pod, strings.Join(wrong, "\n"))
			return
		}
		<-time.After(200 * time.Millisecond)
	}
}
