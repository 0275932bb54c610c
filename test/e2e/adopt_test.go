//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// shop runs without the operator, as a team would write it.
const shop = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: web
          image: %[1]s
          command: [/usr/bin/node, -e, %[2]q]
          ports: [{name: http, containerPort: 8080}]
          readinessProbe: {tcpSocket: {port: http}, periodSeconds: 1}
          lifecycle: {preStop: {sleep: {seconds: 5}}}
          securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {selector: {app: shop}, ports: [{name: http, port: 80, targetPort: http}]}
`

// shopAdopted is the Microservice that it becomes.
const shopAdopted = `
apiVersion: streamplane.dev/v1alpha1
kind: Microservice
metadata: {name: acme-shop}
spec:
  platformRef: {name: acme}
  serviceName: shop
  image: %[1]s
  command: [/usr/bin/node, -e, %[2]q]
  replicas: 2
  ports: [{name: http, port: 8080}]
  probes: {readiness: {tcpSocket: {port: http}, periodSeconds: 1}}
  podLabels: {app: shop}
  expose: {mode: Direct}
`

const opened = `require("http").createServer((_, answer) => answer.end("open")).listen(8080); process.on("SIGTERM", () => process.exit())`

// TestAdoptAForeignDeployment takes over what people wrote, under load: no pod
// restarts, and no request fails, not even when the pods become the operator's
// own with the next version.
func TestAdoptAForeignDeployment(t *testing.T) {
	t.Parallel() // it mostly waits
	ns := namespace(t, "adopt")
	if out, err := kubectlApply(t, ns, fmt.Sprintf(shop, env.facts, opened)); err != nil {
		t.Fatal(out)
	}
	kubectl(t, "wait", "--namespace", ns, "deployment/shop", "--for=condition=Available", "--timeout="+patience.String())
	eventually(t, "all pods are available", func() string {
		if n := get(t, ns, "shop", &appsv1.Deployment{}).Status.AvailableReplicas; n != 2 {
			return fmt.Sprint(n)
		}
		return ""
	})
	file := filepath.Join(t.TempDir(), "shop.yaml")
	if err := os.WriteFile(file, []byte(fmt.Sprintf(shopAdopted, env.facts, opened)), 0o600); err != nil {
		t.Fatal(err)
	}
	customers := startLoad(t, 2, 10, publish(t, ns, "shop"))
	customers.waitSent(t, 20)
	before := shopPods(t, ns)

	out, err := run(t, env.plugin, "adopt", "shop", "--platform", "acme", "--filename", file, "--namespace", ns)
	if err != nil {
		t.Fatal(out)
	}
	keep(t, "adopt.txt", []byte(out))
	waitMicroserviceReady(t, ns, "acme-shop")
	if after := shopPods(t, ns); len(before) != 2 || !maps.Equal(before, after) {
		t.Errorf("pods are %v, were %v", after, before)
	}
	if exists(t, ns, "shop", &appsv1.Deployment{}) {
		t.Error("the old Deployment is still there")
	}
	sets := &appsv1.ReplicaSetList{}
	if err := kube.List(t.Context(), sets, client.InNamespace(ns)); err != nil || len(sets.Items) != 1 {
		t.Errorf("%d replicasets, error %v", len(sets.Items), err)
	}
	customers.waitSent(t, 50)

	kubectl(t, "patch", "microservice", "acme-shop", "--namespace", ns, "--type=merge", "--patch", `{"spec": {"env": [{"name": "VERSION", "value": "2"}]}}`)
	eventually(t, "its pods are the operator's own", func() string {
		for uid := range shopPods(t, ns) {
			if _, old := before[uid]; old {
				return "pod " + uid + " is still there"
			}
		}
		return ""
	})
	waitMicroserviceReady(t, ns, "acme-shop")
	customers.waitSent(t, 50)
	customers.mustBeClean(t)
}

// shopPods are the restarts of the pods, by UID.
func shopPods(t *testing.T, namespace string) map[string]int32 {
	t.Helper()
	list := &corev1.PodList{}
	if err := kube.List(t.Context(), list, client.InNamespace(namespace), client.MatchingLabels{"app": "shop"}); err != nil {
		t.Fatal(err)
	}
	all := map[string]int32{}
	for _, p := range list.Items {
		all[string(p.UID)] = 0
		for _, c := range p.Status.ContainerStatuses {
			all[string(p.UID)] += c.RestartCount
		}
	}
	return all
}

func waitMicroserviceReady(t *testing.T, namespace, name string) {
	t.Helper()
	eventually(t, name+" is ready", func() string {
		m := get(t, namespace, name, &v1alpha1.Microservice{})
		c := condition(m.Status.Conditions, v1alpha1.ConditionReady)
		if m.Status.ObservedGeneration != m.Generation || c[:4] != "True" {
			return c
		}
		return ""
	})
}
