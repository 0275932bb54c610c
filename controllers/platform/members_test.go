package platform

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/conditions"
)

// member is a Microservice that a team wrote, born at the given second.
func member(name, service string, born int64, live conditions.Summary) v1alpha1.Microservice {
	m := v1alpha1.Microservice{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "tv", CreationTimestamp: metav1.Unix(born, 0)}}
	m.Spec.ServiceName, m.Spec.Image = service, "team/"+service
	conditions.Set(&m.Status.Conditions, 0, live)
	return m
}

// byPlatform makes it one that the platform wrote.
func byPlatform(m v1alpha1.Microservice) v1alpha1.Microservice {
	m.OwnerReferences = []metav1.OwnerReference{{Kind: "StreamingPlatform", Name: "acme", Controller: new(true)}}
	return m
}

func TestMembersReady(t *testing.T) {
	ready := conditions.Ready("Available", "2 pods available")
	starting := conditions.Reconciling("Progressing", "0 of 2 pods updated")
	unseen := member("late", "late", 1, ready)
	unseen.Generation = 2
	cases := map[string]struct {
		sharing []v1alpha1.Microservice
		want    string
		// shown are the names of the lines after the listed services.
		shown []string
	}{
		"none":             {nil, "", nil},
		"only our own":     {[]v1alpha1.Microservice{byPlatform(member("acme-a", "a", 1, ready))}, "", nil},
		"all are ready":    {[]v1alpha1.Microservice{member("y", "y", 1, ready), member("x", "x", 2, ready)}, "True Available: all 2 members are ready", []string{"x", "y"}},
		"one is not":       {[]v1alpha1.Microservice{member("y", "y", 1, starting), member("x", "x", 2, ready)}, "False MembersNotReady: y: 0 of 2 pods updated", []string{"x", "y"}},
		"two are not":      {[]v1alpha1.Microservice{member("y", "y", 1, starting), member("x", "x", 2, starting)}, "False MembersNotReady: x: 0 of 2 pods updated; and 1 more", []string{"x", "y"}},
		"not yet observed": {[]v1alpha1.Microservice{unseen}, "False MembersNotReady: late: waiting for the Microservice", []string{"late"}},
		"the name of a listed one": {
			[]v1alpha1.Microservice{member("team-a", "a", 1, ready)},
			"False ServiceNameConflict: Microservice team-a: the platform lists a service a itself; remove one of them, or give it another spec.serviceName", nil,
		},
		"the name and the Microservice of a listed one": {
			[]v1alpha1.Microservice{member("acme-a", "a", 1, ready)},
			"False ServiceNameConflict: Microservice acme-a: the platform lists a service a itself; remove one of them, or give it another spec.serviceName", nil,
		},
		"two of one name: the oldest wins": {
			[]v1alpha1.Microservice{member("young", "x", 2, ready), member("old", "x", 1, ready)},
			"False ServiceNameConflict: Microservice young: service x is Microservice old; remove one of them, or give it another spec.serviceName",
			[]string{"x"},
		},
		"no service name: the name of the Microservice": {
			[]v1alpha1.Microservice{member("x", "", 2, ready)}, "True Available: all 1 members are ready", []string{"x"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := observedOf(seen{name: "a", live: &ready})
			o.sharing = tc.sharing
			status := statusOf(o, outcome{})
			got := ""
			if c := apimeta.FindStatusCondition(status.Conditions, v1alpha1.ConditionMembersReady); c != nil {
				got = fmt.Sprintf("%s %s: %s", c.Status, c.Reason, c.Message)
			}
			if got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			if got := read(t, status.Conditions); got != "Ready Available: all 1 services are available" || status.ServicesReady != "1/1" {
				t.Errorf("members changed %s, %s", got, status.ServicesReady)
			}
			var shown []string
			for _, line := range status.Services[1:] {
				if line.ManagedBy != v1alpha1.ManagedByTeam {
					t.Errorf("%s is managed by %q", line.Name, line.ManagedBy)
				}
				shown = append(shown, line.Name)
			}
			if diff := cmp.Diff(tc.shown, shown); diff != "" {
				t.Errorf("shown (-want +got):\n%s", diff)
			}
			o.platform.Status, o.sharing = status, nil
			if c := apimeta.FindStatusCondition(statusOf(o, outcome{}).Conditions, v1alpha1.ConditionMembersReady); c != nil {
				t.Errorf("it stays without members: %v", c)
			}
		})
	}
}

// The API refuses a status with more than 100 services.
func TestMembersFitIntoTheStatus(t *testing.T) {
	ready := conditions.Ready("Available", "2 pods available")
	o := observedOf(seen{name: "a", live: &ready})
	for i := range 150 {
		name := fmt.Sprintf("m%03d", i)
		o.sharing = append(o.sharing, member(name, name, 1, ready))
	}
	if n := len(statusOf(o, outcome{}).Services); n != 100 {
		t.Errorf("%d services", n)
	}
}
