package operator

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/platform/release"
)

// These tests read metrics that all operators of a process share, so that
// they must not run beside others.

func TestRestartWritesAndReadsNothing(t *testing.T) {
	w := newWorld(t)
	first := w.start(catalog("1.0.0"))
	w.playControllers()
	w.ready(w.platform(`{defaults: {metrics: {}}, services: [{name: search, image: "registry.test/search:1", replicas: 2}]}`))
	w.ready(w.microservice("theirs", searchScaled))
	first.settle()
	first.stop()

	cases := map[string]release.Catalog{
		"the same operator":              catalog("1.0.0"),
		"a newer one with a new release": catalog("2.0.0", "1.0.0"),
	}
	for name, releases := range cases {
		t.Run(name, func(t *testing.T) {
			w := w.in(t)
			before, done := w.versions(), reconciles(t)
			o := w.start(releases)
			w.eventually(func() error { // one platform and four Microservices
				if n := reconciles(t) - done; n < 5 {
					return fmt.Errorf("%g reconciles", n)
				}
				return nil
			})
			o.settle()
			o.idle()
			o.stop()
			if diff := cmp.Diff(before, w.versions()); diff != "" {
				t.Errorf("objects changed (-before +after):\n%s", diff)
			}
			sent := o.requests.since(0, func(r request) bool { return !informerOrDiscovery(r) })
			if len(sent) > 0 {
				t.Errorf("requests besides those that fill the cache: %v", sent)
			}
		})
	}
}

// A change that was made while the operator was away is found.
func TestRestartFindsWhatChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.start(catalog("1.0.0"))
	w.playControllers()
	p := w.platform("{}")
	w.ready(p)
	first.settle()
	first.stop()
	w.remove(get(w, "acme-gateway", &v1alpha1.Microservice{}))
	change(w, p, func(p *v1alpha1.StreamingPlatform) {
		p.Spec.Services = []v1alpha1.PlatformService{{Name: "streaming", WorkloadSpec: v1alpha1.WorkloadSpec{Image: "registry.test/streaming:next"}}}
	})
	w.start(catalog("1.0.0"))
	m := appears(w, "acme-gateway", &v1alpha1.Microservice{})
	w.eventually(func() error {
		if image := get(w, "acme-streaming", m).Spec.Image; image != "registry.test/streaming:next" {
			return fmt.Errorf("image %s", image)
		}
		return nil
	})
}

// reconciles is how many the controllers of this process have finished.
func reconciles(t *testing.T) float64 {
	t.Helper()
	families, err := metrics.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, family := range families {
		if family.GetName() != "controller_runtime_reconcile_total" {
			continue
		}
		for _, m := range family.GetMetric() {
			sum += m.GetCounter().GetValue()
		}
	}
	return sum
}
