//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	apimeta "k8s.io/apimachinery/pkg/api/meta"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// paths are what the load asks for: the page, the list, playlists, a segment.
func (tv theater) paths(t *testing.T) []string {
	t.Helper()
	master := tv.url + "/v/clock/master.m3u8"
	variant := playlistURIs(t, master)[0]
	return []string{tv.url + "/", tv.url + "/api/assets", master, variant, playlistURIs(t, variant)[1]}
}

// rollsOneService gives gateway a new image under load: no request fails, and
// no pod of another service is touched.
func (tv theater) rollsOneService(t *testing.T) {
	others := podUIDs(t, tv.namespace, "acme-streaming")
	viewers := startLoad(t, 8, 40, tv.paths(t)...)
	viewers.waitSent(t, 200)

	patchPlatform(t, tv.namespace, tv.name, fmt.Sprintf(`{"spec":{"services":[{"name":"gateway","image":%q}]}}`, env.variant))
	eventually(t, "gateway rolls", func() string { return rolledOut(t, tv.namespace, "acme-gateway-blue", env.variant) })
	waitSettled(t, tv.namespace, tv.name)
	viewers.waitSent(t, 400) // the old pods end while these are served
	eventually(t, "status tells the images that run", func() string { return imagesTold(t, tv.namespace, "acme-gateway") })

	release := get(t, tv.namespace, tv.name, &v1alpha1.StreamingPlatform{}).Status.Release
	patchPlatform(t, tv.namespace, tv.name, `{"spec":{"services":null}}`)
	image := releaseImage(t, "gateway")
	eventually(t, "gateway rolls back to release "+release, func() string {
		return rolledOut(t, tv.namespace, "acme-gateway-blue", image)
	})
	waitSettled(t, tv.namespace, tv.name)
	viewers.waitSent(t, 400)

	viewers.mustBeClean(t)
	if now := podUIDs(t, tv.namespace, "acme-streaming"); !maps.Equal(now, others) {
		t.Errorf("pods of streaming changed: %v, were %v", now, others)
	}
}

// badImageReturns gives gateway an image that does not exist, under load: the
// last good revision comes back by itself, and no request fails.
func (tv theater) badImageReturns(t *testing.T) {
	viewers := startLoad(t, 4, 20, tv.paths(t)...)
	good := releaseImage(t, "gateway")
	patchPlatform(t, tv.namespace, tv.name,
		`{"spec":{"services":[{"name":"gateway","image":"registry.invalid/none:1","rollout":{"progressDeadlineSeconds":10}}]}}`)
	eventually(t, "the good revision returns", func() string {
		m := get(t, tv.namespace, "acme-gateway", &v1alpha1.Microservice{})
		c := apimeta.FindStatusCondition(m.Status.Conditions, v1alpha1.ConditionStalled)
		if c == nil || c.Reason != v1alpha1.ReasonRolledBack || !strings.Contains(c.Message, "image pull failed: registry.invalid/none:1") {
			return fmt.Sprint(m.Status.Conditions)
		}
		return rolledOut(t, tv.namespace, "acme-gateway-blue", good)
	})
	keep(t, "kubectl-get-rolled-back.txt", []byte(kubectl(t, "get", "sp,ms,controllerrevisions", "--namespace", tv.namespace)))
	patchPlatform(t, tv.namespace, tv.name, `{"spec":{"services":null}}`)
	waitSettled(t, tv.namespace, tv.name)
	viewers.waitSent(t, 100)
	viewers.mustBeClean(t)
}

// imagesTold compares the images in status with what the nodes run.
func imagesTold(t *testing.T, namespace, microservice string) string {
	t.Helper()
	var running []string
	for _, p := range pods(t, namespace, microservice) {
		for _, c := range p.Status.ContainerStatuses {
			running = append(running, c.ImageID)
		}
	}
	slices.Sort(running)
	running = slices.Compact(running)
	slots := get(t, namespace, microservice, &v1alpha1.Microservice{}).Status.Slots
	if len(running) != 1 || running[0] == "" || len(slots) != 1 || !slices.Equal(slots[0].ImageIDs, running) {
		return fmt.Sprintf("%v, and the pods run %v", slots, running)
	}
	return ""
}
