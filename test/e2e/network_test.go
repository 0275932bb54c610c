//go:build e2e

package e2e

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// refused is what the local cluster answers to what a policy denies; an
// address where nobody listens answers otherwise.
const refused = "no route to host"

const outsider = `
apiVersion: v1
kind: Pod
metadata: {name: outsider}
spec:
  automountServiceAccountToken: false
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: probe
    image: %s
    args: [serve, "8080"]
    readinessProbe: {tcpSocket: {port: 8080}}
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
`

// TestNetwork proves with connections that only declared calls get through.
func TestNetwork(t *testing.T) {
	ns := namespace(t, "fences")
	manifest := func(calls, network string) {
		t.Helper()
		out, err := kubectlApply(t, ns, fmt.Sprintf(`
apiVersion: streamplane.dev/v1alpha1
kind: StreamingPlatform
metadata: {name: acme}
spec:
  network: %s
  services:
  - {name: gateway, replicas: 1}
  - {name: streaming, replicas: 1}
  - {name: probe, image: "%s", args: [serve, "8080"], replicas: 1, calls: %s}
`, network, env.probe, calls))
		if err != nil {
			t.Fatal(out)
		}
	}
	if out, err := kubectlApply(t, ns, fmt.Sprintf(outsider, env.probe)); err != nil {
		t.Fatal(out)
	}
	manifest("[]", "{}")
	waitReady(t, ns, "acme")
	waitSettled(t, ns, "acme")
	kubectl(t, "wait", "--namespace", ns, "pod/outsider", "--for=condition=Ready", "--timeout="+patience.String())
	api := apiServer(t).String() + ":6443"
	const gateway, streaming = "acme-gateway-headless:8080", "acme-streaming-headless:8080"

	t.Log("Gateway calls streaming, and people reach gateway.")
	url := publish(t, ns, "acme-gateway")
	eventually(t, "assets are listed", func() string {
		body, err := tryRead(t, url+"/api/assets")
		if err == nil && strings.Contains(body, "clock") {
			return ""
		}
		return fmt.Sprintf("%v %.200s", err, body)
	})

	t.Log("A service that declares nothing reaches nothing; who is no service reaches what is exposed.")
	reaches(t, ns, "acme-probe", map[string]bool{gateway: false, streaming: false, api: false})
	reaches(t, ns, "outsider", map[string]bool{gateway: true, streaming: false, "acme-probe-headless:8080": false, api: true})

	t.Log("A declared call opens one way.")
	manifest("[{to: streaming}]", "{}")
	waitSettled(t, ns, "acme")
	reaches(t, ns, "acme-probe", map[string]bool{gateway: false, streaming: true, api: false})

	t.Log("The platform opens a way out, and no pod is replaced for it.")
	before := fmt.Sprint(podUIDs(t, ns, "acme-probe"))
	manifest("[{to: streaming}]", fmt.Sprintf("{egress: [{cidr: %s/32, ports: [6443]}]}", apiServer(t)))
	reaches(t, ns, "acme-probe", map[string]bool{gateway: false, streaming: true, api: true})
	if after := fmt.Sprint(podUIDs(t, ns, "acme-probe")); after != before {
		t.Errorf("pods %s, then %s", before, after)
	}
}

// reaches asks from a pod until every answer is the wanted one. Each target
// resolves: a refusal is one of a connection.
func reaches(t *testing.T, namespace, from string, wanted map[string]bool) {
	t.Helper()
	args := []string{"--", "/bin/probe", "connect"}
	for target := range wanted {
		args = append(args, target)
	}
	eventually(t, from+" reaches what it may", func() string {
		pod := from
		if found := pods(t, namespace, from); len(found) > 0 {
			pod = found[0].Name
		}
		out, err := run(t, env.kubectl, append([]string{"exec", "--namespace", namespace, pod}, args...)...)
		if err != nil {
			return out
		}
		for line := range strings.Lines(out) {
			target, outcome, _ := strings.Cut(strings.TrimSpace(line), " ")
			if want := wanted[target]; want && outcome != "ok" || !want && !strings.Contains(outcome, refused) {
				return line
			}
		}
		return ""
	})
}

// apiServer is the address of the control plane.
func apiServer(t *testing.T) netip.Addr {
	t.Helper()
	address, err := netip.ParseAddr(kubectl(t, "get", "endpointslice", "kubernetes", "--namespace", "default",
		"--output", "jsonpath={.endpoints[0].addresses[0]}"))
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// admitAPIServer lets the API server read the metrics of pods for the tests:
// it is no pod.
func (tv theater) admitAPIServer(t *testing.T) {
	t.Helper()
	patchPlatform(t, tv.namespace, tv.name, fmt.Sprintf(
		`{"spec":{"network":{"metricsFrom":[{"namespaceSelector":{}},{"ipBlock":{"cidr":"%s/32"}}]}}}`, apiServer(t)))
	for _, p := range pods(t, tv.namespace, "acme-streaming") {
		eventually(t, "metrics can be read", func() string {
			out, err := run(t, env.kubectl, "get", "--raw", tv.metricsOf(p.Name))
			if err != nil {
				return out
			}
			return ""
		})
	}
}
