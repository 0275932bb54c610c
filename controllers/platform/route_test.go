package platform

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/platform/desired"
)

func TestRouteReady(t *testing.T) {
	plain, routed := &v1alpha1.Expose{Mode: v1alpha1.ExposeDirect}, &v1alpha1.Expose{Mode: v1alpha1.ExposeDirect, Paths: []v1alpha1.RoutePath{"/a"}}
	ready := metav1.Condition{Type: v1alpha1.ConditionRouteReady, Status: metav1.ConditionTrue, Reason: "Accepted", Message: "fine"}
	waiting := metav1.Condition{Type: v1alpha1.ConditionRouteReady, Status: metav1.ConditionUnknown, Reason: "Pending", Message: "waits"}
	broken := metav1.Condition{Type: v1alpha1.ConditionRouteReady, Status: metav1.ConditionFalse, Reason: "APIMissing", Message: "install it"}
	// a service is how it is exposed and what its Microservice says.
	type service struct {
		expose *v1alpha1.Expose
		says   *metav1.Condition
	}
	cases := map[string]struct {
		edge     bool
		services []service
		want     string // none when empty
	}{
		"nobody asks":                    {services: []service{{plain, nil}}},
		"an edge that nobody takes up":   {edge: true, services: []service{{plain, nil}}, want: "False NoRoute"},
		"an edge before the first look":  {edge: true, services: []service{{routed, nil}}},
		"all are ready":                  {edge: true, services: []service{{routed, &ready}, {plain, nil}, {routed, &ready}}, want: "True Accepted"},
		"one waits":                      {services: []service{{routed, &ready}, {routed, &waiting}}, want: "Unknown Pending"},
		"a broken one goes before it":    {services: []service{{routed, &waiting}, {routed, &broken}}, want: "False APIMissing"},
		"and the first of the broken is": {services: []service{{routed, &broken}, {routed, &waiting}}, want: "False APIMissing"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := observed{platform: &v1alpha1.StreamingPlatform{}, microservices: map[string]v1alpha1.Microservice{}}
			if tc.edge {
				o.platform.Spec.Edge = &v1alpha1.Edge{}
			}
			for i, s := range tc.services {
				m := &v1alpha1.Microservice{}
				m.Name, m.Spec.Expose = string(rune('a'+i)), s.expose
				o.wanted.Services = append(o.wanted.Services, desired.Service{Name: m.Name, Microservice: m})
				if s.says != nil {
					m.Status.Conditions = []metav1.Condition{*s.says}
				}
				o.microservices[m.Name] = *m
			}
			got := ""
			if c := routeReady(o); c != nil {
				got = string(c.Status) + " " + c.Reason
			}
			if got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}
