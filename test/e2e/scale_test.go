//go:build e2e

package e2e

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
)

// sharesLoadWithNewPod scales streaming out and watches gateway balance: the
// new pod must get its share within 15 seconds.
func (tv theater) sharesLoadWithNewPod(t *testing.T) {
	tv.admitAPIServer(t)
	old := podUIDs(t, tv.namespace, "acme-streaming")
	viewers := startLoad(t, 8, 40, tv.url+"/v/clock/master.m3u8")
	patchPlatform(t, tv.namespace, tv.name, `{"spec":{"services":[{"name":"streaming","replicas":3}]}}`)
	var fresh corev1.Pod
	eventually(t, "a third pod is ready", func() string {
		for _, p := range pods(t, tv.namespace, "acme-streaming") {
			if !old[string(p.UID)] && ready(p) {
				fresh = p
				return ""
			}
		}
		return "there is none"
	})
	began := time.Now()
	for tv.shareOf(t, viewers, fresh.Name) < 1.0/3/2 {
		if time.Since(began) > 15*time.Second { // the promise, from where a window of requests began
			t.Fatal("the new pod does not get its share")
		}
	}
	viewers.mustBeClean(t)
	patchPlatform(t, tv.namespace, tv.name, `{"spec":{"services":null}}`)
	waitSettled(t, tv.namespace, tv.name)
}

// shareOf is the share of the next hundred requests that a pod of streaming serves.
func (tv theater) shareOf(t *testing.T, viewers *load, pod string) float64 {
	t.Helper()
	const window = 100
	before := tv.requestsServed(t)
	viewers.waitSent(t, window)
	after := tv.requestsServed(t)
	total := 0.0
	for name := range after {
		total += after[name] - before[name]
	}
	if total < window/2 {
		t.Fatalf("the pods counted %.0f of %d requests", total, window)
	}
	share := (after[pod] - before[pod]) / total
	t.Logf("the new pod served %.0f%% of %.0f requests", 100*share, total)
	return share
}

// metricsOf is where the API server passes a pod's metrics through.
func (tv theater) metricsOf(pod string) string {
	return fmt.Sprintf("/api/v1/namespaces/%s/pods/%s:9090/proxy/metrics", tv.namespace, pod)
}

// requestsServed counts what each pod of streaming has answered.
func (tv theater) requestsServed(t *testing.T) map[string]float64 {
	t.Helper()
	served := map[string]float64{}
	for _, p := range pods(t, tv.namespace, "acme-streaming") {
		if !ready(p) {
			continue
		}
		metrics := kubectl(t, "get", "--raw", tv.metricsOf(p.Name))
		sum := 0.0
		for line := range strings.Lines(metrics) {
			if name, value, found := strings.Cut(line, "} "); found && strings.HasPrefix(name, "http_server_requests_total{") {
				n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
				if err != nil {
					t.Fatal(err)
				}
				sum += n
			}
		}
		served[p.Name] = sum
	}
	return served
}

func ready(p corev1.Pod) bool {
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// scalesOneService puts load on streaming alone: its autoscaler grows it, no
// other service grows, and the operator does not write to the Deployment.
func (tv theater) scalesOneService(t *testing.T) {
	const calm, busy = "acme-gateway-blue", "acme-streaming-blue"
	eventually(t, "streaming has its least number of pods", func() string {
		if d := get(t, tv.namespace, busy, &appsv1.Deployment{}); *d.Spec.Replicas != 2 || d.Status.Replicas != 2 {
			return fmt.Sprintf("%d pods", d.Status.Replicas)
		}
		return ""
	})
	ours := tv.lastApply(t, busy)
	quiet := get(t, tv.namespace, calm, &appsv1.Deployment{}).Generation
	direct := theater{namespace: tv.namespace, url: tv.exposeStreaming(t)}
	crowd := startLoad(t, 16, 2000, direct.paths(t)[2:]...)
	eventually(t, "streaming grows", func() string {
		hpa := get(t, tv.namespace, busy, &autoscalingv2.HorizontalPodAutoscaler{})
		d := get(t, tv.namespace, busy, &appsv1.Deployment{})
		if *d.Spec.Replicas <= 2 || d.Status.AvailableReplicas <= 2 {
			return fmt.Sprintf("%d pods available, autoscaler says %+v", d.Status.AvailableReplicas, hpa.Status)
		}
		return ""
	})
	crowd.mustBeClean(t)
	if now := tv.lastApply(t, busy); now != ours {
		t.Errorf("the operator wrote to the Deployment while it scaled: %s, before %s", now, ours)
	}
	if now := get(t, tv.namespace, calm, &appsv1.Deployment{}); now.Generation != quiet {
		t.Errorf("gateway changed, too: %d pods", *now.Spec.Replicas)
	}
	patchPlatform(t, tv.namespace, tv.name, `{"spec":{"services":null}}`)
}

// exposeStreaming lets people reach streaming without gateway, which replaces
// no pod.
func (tv theater) exposeStreaming(t *testing.T) string {
	t.Helper()
	patchPlatform(t, tv.namespace, tv.name, `{"spec":{"services":[{"name":"streaming","expose":{"mode":"Direct"}}]}}`)
	url := publish(t, tv.namespace, "acme-streaming")
	eventually(t, "streaming can be reached", func() string {
		if _, err := tryRead(t, url+"/v/clock/master.m3u8"); err != nil {
			return err.Error()
		}
		return ""
	})
	return url
}

// lastApply is when the operator last changed a Deployment, and how often it
// says that it applied it.
func (tv theater) lastApply(t *testing.T, deployment string) string {
	t.Helper()
	d := get(t, tv.namespace, deployment, &appsv1.Deployment{})
	at := "never"
	for _, f := range d.ManagedFields {
		if f.Manager == "streamplane" && f.Subresource == "" {
			at = f.Time.String()
		}
	}
	applied := 0
	for line := range strings.Lines(operatorLog(t)) {
		if strings.Contains(line, "Applying object") && strings.Contains(line, tv.namespace) &&
			strings.Contains(line, `"Deployment"`) && strings.Contains(line, deployment) {
			applied++
		}
	}
	return fmt.Sprintf("%s, %d times", at, applied)
}

func operatorLog(t *testing.T) string {
	t.Helper()
	return kubectl(t, "logs", "--namespace=streamplane-system", "deployment/streamplane-operator", "--all-pods=true", "--tail=-1")
}
