package desired

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

func TestRoute(t *testing.T) {
	cases := map[string]struct {
		listed  []string // name: fields
		teams   []string // from the newest to the oldest
		want    string
		refused string
		// handedOver says that the platform had the Microservices of teams before.
		handedOver bool
	}{
		"nobody is exposed": {listed: []string{"gateway: {expose: {mode: Direct}}", "a: {}"}},
		"by name": {
			listed: []string{"gateway: {}", "a: {expose: {}}"},
			want:   "/a to a of acme-a:8080",
		},
		"by paths, at the first port": {
			listed: []string{"gateway: {}", "a: {ports: [{name: http, port: 7000}], expose: {paths: [/x, /y/z], timeout: 3s}}"},
			want:   "/x to a of acme-a:7000 3s, /y/z to a of acme-a:7000 3s",
		},
		"not those that are direct": {listed: []string{"gateway: {}", "a: {expose: {mode: Direct}}"}},
		"teams come after, the oldest first": {
			listed: []string{"gateway: {}", "a: {expose: {paths: [/x]}}"},
			teams:  []string{"b: {expose: {paths: [/x, /y]}}", "c: {expose: {paths: [/y]}}"},
			want:   "/x to a of acme-a:8080, /y to c of team-c:8080",
			refused: "Microservice team-b: spec.expose.paths: /x belongs to a: choose another; " +
				"Microservice team-b: spec.expose.paths: /y belongs to c: choose another",
		},
		"the gateway itself": {
			listed:  []string{"gateway: {expose: {}}"},
			refused: "services[gateway].expose.mode: the gateway cannot be reached through itself: use Direct",
		},
		"no gateway": {
			listed:  []string{"a: {expose: {}}"},
			refused: "services[a].expose.mode: the platform has no gateway: enable it, or use Direct",
		},
		"a gateway that was handed over": {
			listed: []string{"a: {expose: {}}"}, teams: []string{"gateway: {}"}, handedOver: true, want: "/a to a of acme-a:8080",
		},
		"a gateway of a team": {
			listed: []string{"a: {expose: {}}"}, teams: []string{"gateway: {}"},
			refused: "Microservice team-gateway: spec.routes: /a of a is missing: its team adds it, or the annotation " +
				"streamplane.dev/handed-over-by: acme, with which the platform fills the routes in",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var listed []Service
			for _, text := range tc.listed {
				m := exposed(t, "acme-", text)
				listed = append(listed, Service{Name: m.Spec.ServiceName, Microservice: m})
			}
			var teams []v1alpha1.Microservice
			for i, text := range tc.teams {
				m := exposed(t, "team-", text)
				if tc.handedOver {
					m.Annotations = map[string]string{AnnotationHandedOver: "acme"}
				}
				m.CreationTimestamp = metav1.NewTime(time.Unix(int64(1000-i), 0))
				teams = append(teams, *m)
			}
			routing := route("acme", listed, teams)
			routes := routing.Routes
			for _, s := range listed {
				routes = append(routes, s.Microservice.Spec.Routes...)
			}
			var got []string
			for _, r := range routes {
				got = append(got, strings.TrimSpace(fmt.Sprintf("%s to %s of %s:%d %s", r.Path, r.Service, r.Microservice, r.Port, r.Timeout)))
			}
			if diff := cmp.Diff(tc.want, strings.Join(got, ", ")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.refused, routing.RefusedMessage()); diff != "" {
				t.Errorf("refused (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRoutesAreBounded(t *testing.T) {
	listed := []Service{{Name: "gateway", Microservice: exposed(t, "acme-", "gateway: {}")}}
	for i := range maxRoutes + 1 {
		m := exposed(t, "acme-", fmt.Sprintf("s%d: {expose: {}}", i))
		listed = append(listed, Service{Name: m.Spec.ServiceName, Microservice: m})
	}
	refused := route("acme", listed, nil).Refused
	if n := len(listed[0].Microservice.Spec.Routes); n != maxRoutes || len(refused) != 1 || !strings.Contains(refused[0], "at most 200 paths") {
		t.Errorf("%d routes, refused %v", n, refused)
	}
}

// exposed makes a Microservice of "name: fields".
func exposed(t *testing.T, prefix, text string) *v1alpha1.Microservice {
	t.Helper()
	name, fields, _ := strings.Cut(text, ": ")
	m := &v1alpha1.Microservice{ObjectMeta: metav1.ObjectMeta{Name: prefix + name}}
	decode(t, fields, &m.Spec.WorkloadSpec)
	m.Spec.ServiceName = name
	return m
}
