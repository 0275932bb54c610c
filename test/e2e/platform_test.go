//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// theater is a platform that several tests look at in turn.
type theater struct {
	namespace string
	name      string
	url       string
}

// TestPlatform brings the minimal platform up and looks at it in the order in
// which a viewer, an operator and an unlucky day would.
func TestPlatform(t *testing.T) {
	tv := theater{namespace: namespace(t, "tv"), name: "acme"}
	sample(t, tv.namespace, "minimal.yaml")
	waitReady(t, tv.namespace, tv.name)
	tv.url = publish(t, tv.namespace, "acme-gateway")

	t.Run("readsWell", tv.readsWell)
	t.Run("plays", func(t *testing.T) { checkPlayback(t, tv.url) })
	t.Run("playsInBrowser", tv.playsInBrowser)
	t.Run("spreads", tv.spreads)
	t.Run("repairs", tv.repairs)
	t.Run("idles", tv.idles)
	t.Run("handsOver", tv.handsOver)
	t.Run("survivesLostStatus", tv.survivesLostStatus)
	t.Run("rollsOneService", tv.rollsOneService)
	t.Run("badImageReturns", tv.badImageReturns)
	t.Run("sharesLoadWithNewPod", tv.sharesLoadWithNewPod)
	t.Run("scalesOneService", tv.scalesOneService)
	t.Run("needsNoOperator", tv.needsNoOperator)
	t.Run("losesNode", tv.losesNode)
	t.Run("goesWithoutTrace", tv.goesWithoutTrace)
}

// readsWell keeps what kubectl get shows and looks for the words people need.
func (tv theater) readsWell(t *testing.T) {
	table := kubectl(t, "get", "sp,ms", "--namespace", tv.namespace)
	keep(t, "kubectl-get.txt", []byte(table))
	for _, word := range []string{
		"READY", "SERVICES", "RELEASE", "MESSAGE", "PODS", "2/2", "True",
		"streamingplatform.streamplane.dev/acme", "microservice.streamplane.dev/acme-gateway", "microservice.streamplane.dev/acme-streaming",
	} {
		if !strings.Contains(table, word) {
			t.Errorf("kubectl get sp,ms does not show %q:\n%s", word, table)
		}
	}
}

// sourceFacts is what the maker of the sample video says about it.
func sourceFacts(t *testing.T) string {
	t.Helper()
	facts, err := os.ReadFile(filepath.Join(os.Getenv("STREAMPLANE_CACHE"), "media", "clock", "asset.json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(facts)
}

// TestFullSample proves that the sample with every field works.
func TestFullSample(t *testing.T) {
	ns := namespace(t, "studio")
	sample(t, ns, "full.yaml")
	waitReady(t, ns, "studio")
	if page := read(t, publish(t, ns, "studio-gateway")); !strings.Contains(page, "<video") {
		t.Errorf("the page has no video:\n%.300s", page)
	}
}
