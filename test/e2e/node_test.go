//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// spreads proves that the pods of each service are on different nodes and zones.
func (tv theater) spreads(t *testing.T) {
	for _, m := range []string{"acme-gateway", "acme-streaming"} {
		zones := map[string]bool{}
		for _, p := range pods(t, tv.namespace, m) {
			node := get(t, "", p.Spec.NodeName, &corev1.Node{})
			zones[node.Labels[corev1.LabelTopologyZone]] = true
		}
		if len(zones) < 2 {
			t.Errorf("all pods of %s are in %v", m, zones)
		}
	}
}

// losesNode cuts a node off while a video plays: the page and the video go on
// from the other one, and everything is whole again after the node is back.
func (tv theater) losesNode(t *testing.T) {
	const node = "node-2"
	page := open(t, tv.url)
	page.waitPlayed(t, 3)
	cluster(t, "partition", node)
	healed := false
	t.Cleanup(func() {
		if !healed {
			cluster(t, "heal", node)
		}
	})
	late := open(t, tv.url) // before anybody knows that half of the pods are gone
	late.waitPlayed(t, 5)
	eventually(t, "Kubernetes notices", func() string { return nodeReady(t, node, corev1.ConditionUnknown) })
	checkPageAndVideo(t, tv.url)
	page.waitPlayed(t, 25)
	eventually(t, "the platform has moved to the other node", func() string {
		for _, m := range []string{"acme-gateway", "acme-streaming"} {
			if n := readyOutside(t, tv.namespace, m, node); n < 2 {
				return fmt.Sprintf("%s has %d pods elsewhere", m, n)
			}
		}
		return ""
	})
	checkPlayback(t, tv.url)
	page.mustBeHealthy(t)
	late.mustBeHealthy(t)

	cluster(t, "heal", node)
	healed = true
	eventually(t, "the node is back", func() string { return nodeReady(t, node, corev1.ConditionTrue) })
	waitSettled(t, tv.namespace, tv.name)
	checkPageAndVideo(t, tv.url)
}

func nodeReady(t *testing.T, name string, want corev1.ConditionStatus) string {
	t.Helper()
	for _, c := range get(t, "", name, &corev1.Node{}).Status.Conditions {
		if c.Type == corev1.NodeReady && c.Status != want {
			return fmt.Sprintf("Ready is %s: %s", c.Status, c.Message)
		}
	}
	return ""
}

func readyOutside(t *testing.T, namespace, microservice, node string) int {
	t.Helper()
	n := 0
	for _, p := range pods(t, namespace, microservice) {
		if p.Spec.NodeName != node && ready(p) {
			n++
		}
	}
	return n
}

// checkPageAndVideo asks as a browser would: again, when a connection led to
// the node that is gone.
func checkPageAndVideo(t *testing.T, gateway string) {
	t.Helper()
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for _, path := range []string{"/", "/api/assets", "/v/clock/master.m3u8"} {
		eventually(t, path+" answers", func() string {
			if err := fetch(t.Context(), client, gateway+path); err != nil {
				return err.Error()
			}
			return ""
		})
	}
}
