package desired

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// Each case names its services as "caller": callees, and what is known of them.
func TestWaves(t *testing.T) {
	status := func(current, update, stable, failed string) v1alpha1.MicroserviceStatus {
		return v1alpha1.MicroserviceStatus{CurrentRevision: current, UpdateRevision: update, StableRevision: stable, FailedRevision: failed}
	}
	settled, begun, pending := status("1", "1", "1", ""), status("2", "2", "1", ""), status("1", "2", "1", "")
	asleep := begun // its new version has no pod to prove itself by
	asleep.Conditions = []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonScaledToZero}}
	returned, first := status("1", "2", "1", "2"), status("1", "1", "", "")
	chain := map[string][]string{"web": {"search"}, "search": {"catalog"}, "catalog": nil, "alone": nil}
	circle := map[string][]string{"a": {"b"}, "b": {"a"}}
	const becauseOf = ", which it calls and which has a new version, too"
	cases := map[string]struct {
		how   *v1alpha1.PlatformRollout
		calls map[string][]string
		// changed have a new version that their Microservices do not know yet.
		changed []string
		known   map[string]v1alpha1.MicroserviceStatus
		edit    func(name string, wanted, live *v1alpha1.Microservice)
		want    map[string]string
	}{
		"nothing new": {calls: chain},
		"one":         {calls: chain, changed: []string{"web"}},
		"all": {
			calls: chain, changed: []string{"web", "search", "catalog", "alone"},
			want: map[string]string{"web": "waits for catalog" + becauseOf, "search": "waits for catalog" + becauseOf},
		},
		"the first is on its way": {
			calls: chain, known: map[string]v1alpha1.MicroserviceStatus{"catalog": begun, "search": pending, "web": pending},
			want: map[string]string{"web": "waits for catalog" + becauseOf, "search": "waits for catalog" + becauseOf},
		},
		"the first is done": {
			calls: chain, known: map[string]v1alpha1.MicroserviceStatus{"search": pending, "web": pending},
			want: map[string]string{"web": "waits for search" + becauseOf},
		},
		"the first has no pods": {calls: chain, changed: []string{"web"}, known: map[string]v1alpha1.MicroserviceStatus{"catalog": asleep}},
		"no order":              {how: &v1alpha1.PlatformRollout{Order: v1alpha1.OrderNone}, calls: chain, changed: []string{"web", "search", "catalog"}},
		"a circle":              {calls: circle, changed: []string{"a", "b"}},
		"the first failed": {
			calls: chain, known: map[string]v1alpha1.MicroserviceStatus{"catalog": returned, "search": pending},
		},
		"the first failed, and others stop": {
			how: &v1alpha1.PlatformRollout{OnFailure: v1alpha1.FailureStop}, calls: chain, changed: []string{"alone"},
			known: map[string]v1alpha1.MicroserviceStatus{"catalog": returned},
			want:  map[string]string{"alone": "waits until catalog is mended, whose new version failed (rollout.onFailure: Stop)"},
		},
		"the failed one is mended": {
			how: &v1alpha1.PlatformRollout{OnFailure: v1alpha1.FailureStop}, calls: chain, changed: []string{"catalog"},
			known: map[string]v1alpha1.MicroserviceStatus{"catalog": returned},
		},
		"one at a time": {
			how:   &v1alpha1.PlatformRollout{Order: v1alpha1.OrderNone, MaxConcurrent: new(int32(1))},
			calls: chain, changed: []string{"alone", "catalog", "search"},
			want: map[string]string{
				"catalog": "waits for its turn: 1 at a time (rollout.maxConcurrent)", "search": "waits for its turn: 1 at a time (rollout.maxConcurrent)",
			},
		},
		"one is on its way and had its turn": {
			how:   &v1alpha1.PlatformRollout{MaxConcurrent: new(int32(1))},
			calls: chain, changed: []string{"alone"}, known: map[string]v1alpha1.MicroserviceStatus{"catalog": begun},
			want: map[string]string{"alone": "waits for its turn: 1 at a time (rollout.maxConcurrent)"},
		},
		"the first start of a callee": {calls: chain, changed: []string{"web"}, known: map[string]v1alpha1.MicroserviceStatus{"search": first}},
		"an unknown callee":           {calls: map[string][]string{"web": {"nobody"}}, changed: []string{"web"}},
		"a callee that is held by people": {
			calls: chain, changed: []string{"search"}, known: map[string]v1alpha1.MicroserviceStatus{"catalog": pending},
			edit: func(name string, wanted, _ *v1alpha1.Microservice) {
				if name == "catalog" {
					hold(wanted, "by people")
				}
			},
			want: map[string]string{"catalog": "by people"},
		},
		"a callee that is paused": {
			calls: chain, changed: []string{"search", "catalog"},
			edit: func(name string, wanted, _ *v1alpha1.Microservice) { wanted.Spec.Paused = name == "catalog" },
		},
		"a callee that was told something": {
			calls: chain, changed: []string{"search"},
			edit: func(name string, _, live *v1alpha1.Microservice) {
				if name == "catalog" {
					live.Generation++
				}
			},
			want: map[string]string{"search": "waits for catalog" + becauseOf},
		},
		"one that was told to wait": {
			calls: chain, changed: []string{"catalog"},
			edit: func(name string, _, live *v1alpha1.Microservice) {
				if name == "search" {
					live.Generation++
					hold(live, "waits for catalog")
				}
			},
			want: map[string]string{"search": "waits for catalog" + becauseOf},
		},
		"made by an operator that knew no waves": {
			calls: chain, changed: []string{"search", "catalog"},
			edit: func(_ string, _, live *v1alpha1.Microservice) { live.Annotations = nil },
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var p Platform
			live := map[string]v1alpha1.Microservice{}
			for service, callees := range tc.calls {
				wanted := &v1alpha1.Microservice{}
				wanted.Name, wanted.Annotations = "acme-"+service, map[string]string{AnnotationPods: "same"}
				for _, c := range callees {
					wanted.Spec.Calls = append(wanted.Spec.Calls, v1alpha1.Call{To: c})
				}
				is := wanted.DeepCopy()
				is.Status = settled
				if s, given := tc.known[service]; given {
					is.Status = s
				}
				for _, changed := range tc.changed {
					if changed == service {
						wanted.Annotations[AnnotationPods] = "other"
					}
				}
				if tc.edit != nil {
					tc.edit(service, wanted, is)
				}
				live[is.Name] = *is
				p.Services = append(p.Services, Service{Name: service, Microservice: wanted})
			}
			p.Hold(tc.how, live)
			got := map[string]string{}
			for _, s := range p.Services {
				if held(s.Microservice) {
					got[s.Name] = s.Microservice.Spec.Rollout.Hold
				}
			}
			if len(tc.want) == 0 && len(got) == 0 {
				return
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("held (-want +got):\n%s", diff)
			}
		})
	}
}
