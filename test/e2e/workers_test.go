//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// workers are a queue, and encoders that work it off. Both serve a gauge that the
// test sets.
const workers = `
apiVersion: streamplane.dev/v1alpha1
kind: StreamingPlatform
metadata:
  name: acme
spec:
  defaults:
    podAnnotations: {version: "1"}
    resources: {requests: {cpu: 10m}}
  services:
    - {name: gateway, enabled: false}
    - {name: streaming, enabled: false}
    - &queue
      name: queue
      image: %[1]s
      replicas: 1
      ports: [{name: http, port: 8080}, {name: metrics, port: 9090}]
      command:
        - /usr/bin/node
        - -e
        - |
          const http = require("http"), values = {waiting: 1, sessions: 0}
          http.createServer((request, answer) => {
            const [, name, value] = request.url.split("/")
            if (name in values) values[name] = Number(value)
            answer.end()
          }).listen(8080)
          http.createServer((_, answer) => answer.end(Object.entries(values).map(([k, v]) => k + " " + v + "\n").join(""))).listen(9090)
          process.on("SIGTERM", () => process.exit())
    - <<: *queue
      name: encoder
      replicas: null
      calls: [{to: queue}]
      autoscaling:
        minReplicas: 1
        maxReplicas: 4
        signals: [{metric: sessions, perReplica: "10"}]
        scaleToZero: {service: queue, metric: waiting, idleSeconds: 0}
`

// TestWorkersFollowTheirWork lets pods come and go by what pods say, and new
// versions come in the order of the calls.
func TestWorkersFollowTheirWork(t *testing.T) {
	t.Parallel() // it mostly waits
	ns := namespace(t, "workers")
	if out, err := kubectlApply(t, ns, fmt.Sprintf(workers, env.facts)); err != nil {
		t.Fatal(out)
	}
	waitReady(t, ns, "acme")
	says := func(service, gauge string, n int) {
		t.Helper()
		kubectl(t, "exec", "--namespace", ns, "deployment/acme-"+service+"-blue", "--container", "app", "--",
			"/usr/bin/node", "-e", fmt.Sprintf(`fetch("http://127.0.0.1:8080/%s/%d")`, gauge, n))
	}
	encoders := func(what string, enough func(pods int32) bool) {
		t.Helper()
		eventually(t, what, func() string {
			d := get(t, ns, "acme-encoder-blue", &appsv1.Deployment{})
			m := get(t, ns, "acme-encoder", &v1alpha1.Microservice{})
			if n := d.Status.AvailableReplicas; !enough(n) || *d.Spec.Replicas != n {
				return fmt.Sprintf("%d of %d pods; %s; %s", n, *d.Spec.Replicas,
					condition(m.Status.Conditions, v1alpha1.ConditionSignalsActive), condition(m.Status.Conditions, v1alpha1.ConditionScalingActive))
			}
			return ""
		})
	}
	encoders("an encoder runs", func(n int32) bool { return n >= 1 })
	says("encoder", "sessions", 25)
	encoders("sessions bring more encoders", func(n int32) bool { return n >= 3 })
	says("queue", "waiting", 0)
	encoders("an empty queue takes them all away", func(n int32) bool { return n == 0 })
	waitReady(t, ns, "acme")
	keep(t, "kubectl-get-scaled-to-zero.txt", []byte(kubectl(t, "get", "sp,ms,hpa,pods", "--namespace", ns)))
	says("queue", "waiting", 2)
	encoders("work brings them back", func(n int32) bool { return n >= 1 })

	patchPlatform(t, ns, "acme", `{"spec": {"defaults": {"podAnnotations": {"version": "2"}}}}`)
	var called, calling []corev1.Pod
	eventually(t, "both have a new version", func() string {
		called, calling = versionTwo(t, ns, "acme-queue"), versionTwo(t, ns, "acme-encoder")
		if len(called) == 0 || len(calling) == 0 {
			return fmt.Sprintf("%d pods of queue, %d of encoder", len(called), len(calling))
		}
		return ""
	})
	waitSettled(t, ns, "acme")
	for _, caller := range calling {
		for _, callee := range called {
			if first := readySince(callee); caller.CreationTimestamp.Time.Before(first) {
				t.Errorf("%s came at %s, before %s was ready at %s", caller.Name, caller.CreationTimestamp, callee.Name, first)
			}
		}
	}
}

// versionTwo are the ready pods of the second version.
func versionTwo(t *testing.T, namespace, microservice string) []corev1.Pod {
	t.Helper()
	var all []corev1.Pod
	for _, p := range pods(t, namespace, microservice) {
		if p.Annotations["version"] == "2" && ready(p) {
			all = append(all, p)
		}
	}
	return all
}

func readySince(p corev1.Pod) time.Time {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.LastTransitionTime.Time
		}
	}
	return time.Time{}
}
