package operator

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// lines waits until the status of a platform lists these services.
func (w *world) lines(p *v1alpha1.StreamingPlatform, want ...string) {
	w.Helper()
	w.eventually(func() error {
		var got []string
		for _, s := range get(w, p.Name, p).Status.Services {
			got = append(got, fmt.Sprintf("%s=%s%s", s.Name, s.Microservice, s.ManagedBy))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			return fmt.Errorf("services (-want +got):\n%s", diff)
		}
		return nil
	})
}

func TestATeamsMicroserviceJoinsThePlatform(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	p := w.platform("{}")
	w.ready(p)
	w.has(p, v1alpha1.ConditionMembersReady, "", "")

	m := w.microservice("search", searchFixed(1))
	w.lines(p, "streaming=acme-streaming", "gateway=acme-gateway", "search=searchTeam")
	w.has(p, v1alpha1.ConditionMembersReady, metav1.ConditionTrue, v1alpha1.ReasonAvailable)
	if p.Status.ServicesReady != "2/2" {
		t.Errorf("services ready %s: members do not count", p.Status.ServicesReady)
	}
	o.settle()
	o.idle()

	t.Log("One that is not ready leaves the platform ready.")
	w.updating("search-blue")
	w.has(p, v1alpha1.ConditionMembersReady, metav1.ConditionFalse, v1alpha1.ReasonMembersNotReady)
	if err := w.is(p, v1alpha1.ConditionReady, v1alpha1.ReasonAvailable, "all 2 services"); err != nil {
		t.Error(err)
	}

	w.remove(m)
	w.lines(p, "streaming=acme-streaming", "gateway=acme-gateway")
	w.has(p, v1alpha1.ConditionMembersReady, "", "")
}

func TestTwoServicesOfOneName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	p := w.platform("{}")
	w.ready(p)
	const search = `{platformRef: {name: acme}, serviceName: search, image: "registry.test/search:1"}`
	first := w.microservice("a-search", search)
	w.ready(first)
	second := w.microservice("b-search", search)
	w.has(second, v1alpha1.ConditionServiceNameConflict, metav1.ConditionTrue, v1alpha1.ReasonServiceNameConflict)
	w.has(first, v1alpha1.ConditionServiceNameConflict, "", "")
	w.has(p, v1alpha1.ConditionMembersReady, metav1.ConditionFalse, v1alpha1.ReasonServiceNameConflict)
	w.lines(p, "streaming=acme-streaming", "gateway=acme-gateway", "search=a-searchTeam")
	for _, m := range []*v1alpha1.Microservice{first, second} {
		w.ready(m) // neither breaks the other
	}
	o.settle()
	o.idle()

	t.Log("When the first goes the second takes its place.")
	w.remove(first)
	w.has(second, v1alpha1.ConditionServiceNameConflict, "", "")
	w.lines(p, "streaming=acme-streaming", "gateway=acme-gateway", "search=b-searchTeam")
	w.has(p, v1alpha1.ConditionMembersReady, metav1.ConditionTrue, v1alpha1.ReasonAvailable)

	t.Log("One that the platform lists goes before it.")
	change(w, p, func(p *v1alpha1.StreamingPlatform) {
		p.Spec.Services = []v1alpha1.PlatformService{{Name: "search", WorkloadSpec: v1alpha1.WorkloadSpec{Image: "registry.test/search:2"}}}
	})
	w.has(second, v1alpha1.ConditionServiceNameConflict, metav1.ConditionTrue, v1alpha1.ReasonServiceNameConflict)
	w.lines(p, "streaming=acme-streaming", "gateway=acme-gateway", "search=acme-search")
	w.ready(p)
	w.ready(second)
}

func TestThePlatformOfAMicroserviceIsMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	m := w.microservice("search", searchFixed(1))
	w.has(m, v1alpha1.ConditionPlatformFound, metav1.ConditionFalse, v1alpha1.ReasonPlatformNotFound)
	w.ready(m)
	o.settle()
	o.idle()

	p := w.platform("{}")
	w.has(m, v1alpha1.ConditionPlatformFound, "", "")
	w.ready(p)
	o.settle()
	before := without(w.versions(), "StreamingPlatform/acme", "Microservice/search")
	w.remove(p)
	w.has(m, v1alpha1.ConditionPlatformFound, metav1.ConditionFalse, v1alpha1.ReasonPlatformNotFound)
	o.settle()
	if diff := cmp.Diff(before, without(w.versions(), "Microservice/search")); diff != "" {
		t.Errorf("others were written (-before +after):\n%s", diff)
	}
}
