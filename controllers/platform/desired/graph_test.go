package desired

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

func calling(name string, callees ...string) caller {
	c := caller{name: name, field: "services[" + name + "]"}
	for _, to := range callees {
		c.calls = append(c.calls, v1alpha1.Call{To: to})
	}
	return c
}

func TestCallGraph(t *testing.T) {
	cases := map[string]struct {
		callers        []caller
		unknown, cycle string
	}{
		"no service":     {},
		"a chain":        {callers: []caller{calling("a", "b"), calling("b", "c"), calling("c")}},
		"a diamond":      {callers: []caller{calling("a", "b", "c"), calling("b", "d"), calling("c", "d"), calling("d")}},
		"two":            {callers: []caller{calling("a", "b"), calling("b", "a")}, cycle: "a → b → a"},
		"itself":         {callers: []caller{calling("a", "a")}, cycle: "a → a"},
		"behind a chain": {callers: []caller{calling("a", "b"), calling("b", "c"), calling("c", "d"), calling("d", "b")}, cycle: "b → c → d → b"},
		"the first only": {callers: []caller{calling("a", "a"), calling("b", "b")}, cycle: "a → a"},
		"unknown": {
			callers: []caller{calling("a", "nobody"), calling("b", "a", "nothing")},
			unknown: `services[a].calls[nobody]: the platform has no service "nobody"; services[b].calls[nothing]: the platform has no service "nothing"`,
		},
		"unknown in a cycle": {
			callers: []caller{calling("a", "nobody", "b"), calling("b", "a")},
			unknown: `services[a].calls[nobody]: the platform has no service "nobody"`,
			cycle:   "a → b → a",
		},
		"called before it is listed": {callers: []caller{calling("z", "a"), calling("a")}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g := callGraph(tc.callers)
			if got := g.UnknownMessage(); got != tc.unknown {
				t.Errorf("unknown %q, want %q", got, tc.unknown)
			}
			if got := g.CycleMessage(); got != tc.cycle {
				t.Errorf("cycle %q, want %q", got, tc.cycle)
			}
		})
	}
}

func TestConnect(t *testing.T) {
	service := func(name string, port int32, calls ...v1alpha1.Call) Service {
		m := &v1alpha1.Microservice{ObjectMeta: metav1.ObjectMeta{Name: "acme-" + name}}
		m.Spec.PlatformRef.Name = "acme"
		m.Spec.Ports = []v1alpha1.Port{{Name: "http", Port: port}}
		m.Spec.Calls = calls
		return Service{Name: name, Microservice: m}
	}
	team := func(name, serviceName string, port int32) v1alpha1.Microservice {
		m := v1alpha1.Microservice{ObjectMeta: metav1.ObjectMeta{Name: name}}
		m.Spec.ServiceName = serviceName
		m.Spec.Ports = []v1alpha1.Port{{Name: "http", Port: port}}
		return m
	}
	call := v1alpha1.Call{To: "b"}
	cases := map[string]struct {
		call   v1alpha1.Call
		listed []Service
		teams  []v1alpha1.Microservice
		want   v1alpha1.Call
		// handedOver are the listed services that teams write.
		handedOver map[string]bool
	}{
		"unknown":               {call: call, want: call},
		"listed":                {call: call, listed: []Service{service("b", 7000)}, want: v1alpha1.Call{To: "b", Port: 7000}},
		"a team's":              {call: call, teams: []v1alpha1.Microservice{team("finder", "b", 7001)}, want: v1alpha1.Call{To: "b", Port: 7001, Microservice: "finder"}},
		"a team's, by its name": {call: call, teams: []v1alpha1.Microservice{team("b", "", 7001)}, want: v1alpha1.Call{To: "b", Port: 7001, Microservice: "b"}},
		"a team's of the usual name": {
			call: call, teams: []v1alpha1.Microservice{team("acme-b", "b", 7001)}, want: v1alpha1.Call{To: "b", Port: 7001},
		},
		"listed and a team's": {
			call: call, listed: []Service{service("b", 7000)}, teams: []v1alpha1.Microservice{team("finder", "b", 7001)},
			want: v1alpha1.Call{To: "b", Port: 7000},
		},
		"handed over": {
			call: call, listed: []Service{service("b", 7000)}, teams: []v1alpha1.Microservice{team("acme-b", "b", 7001)},
			handedOver: map[string]bool{"b": true}, want: v1alpha1.Call{To: "b", Port: 7001},
		},
		"handed over to nobody": {
			call: call, listed: []Service{service("b", 7000)}, handedOver: map[string]bool{"b": true},
			want: v1alpha1.Call{To: "b", Port: 7000},
		},
		"the user's own words": {
			call: v1alpha1.Call{To: "b", Port: 1, Microservice: "x"}, teams: []v1alpha1.Microservice{team("finder", "b", 7001)},
			want: v1alpha1.Call{To: "b", Port: 1, Microservice: "x"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			all := append([]Service{service("a", 8080, tc.call)}, tc.listed...)
			connect(all, tc.teams, tc.handedOver)
			if diff := cmp.Diff(tc.want, all[0].Microservice.Spec.Calls[0]); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
