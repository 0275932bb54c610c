package platform

import (
	"strings"
	"testing"

	"github.com/streamplane/streamplane/controllers/conditions"
)

func TestRootCause(t *testing.T) {
	ready := conditions.Ready("Available", "2 pods available")
	starting := conditions.Reconciling("PodsUnavailable", "0 of 2 pods available")
	unpulled := conditions.Reconciling("ImagePullFailed", "image pull failed")
	late := conditions.Stalled("ProgressDeadlineExceeded", "no progress")
	stalled := conditions.Stalled("ImagePullFailed", "image pull failed for long")
	is := func(name string, live conditions.Summary, calls ...string) seen {
		return seen{name: name, live: &live, calls: calls}
	}
	many := []seen{is("a", unpulled)}
	for name := range strings.SplitSeq("bcdefgh", "") {
		many = append(many, is(name, starting, "a"))
	}
	long := is("a", conditions.Reconciling("ImagePullFailed", strings.Repeat("x", 600)))
	cases := map[string]struct {
		services []seen
		want     string
	}{
		"the callee":            {[]seen{is("a", starting, "b"), is("b", unpulled)}, "Reconciling b: image pull failed; blocks a"},
		"the callee is ready":   {[]seen{is("a", starting, "b"), is("b", ready)}, "Reconciling a: 0 of 2 pods available"},
		"the callee is unknown": {[]seen{is("a", starting, "other")}, "Reconciling a: 0 of 2 pods available"},
		"a chain": {
			[]seen{is("a", starting, "b"), is("b", starting, "c"), is("c", unpulled)}, "Reconciling c: image pull failed; blocks a, b",
		},
		"a ready one between breaks the chain": {
			[]seen{is("a", starting, "b"), is("b", ready, "c"), is("c", unpulled)}, "Reconciling a: 0 of 2 pods available",
		},
		"a fault of the caller itself": {
			[]seen{is("a", unpulled, "b"), is("b", starting)}, "Reconciling a: image pull failed",
		},
		"stalled before reconciling": {
			[]seen{is("a", starting), is("b", stalled)}, "Stalled b: image pull failed for long",
		},
		"a caller that waited too long is not the root": {
			[]seen{is("a", late, "b"), is("b", unpulled)}, "Reconciling b: image pull failed; blocks a",
		},
		"a cycle":               {[]seen{is("a", starting, "b"), is("b", starting, "a")}, "Reconciling a: 0 of 2 pods available; blocks b"},
		"a cycle of one":        {[]seen{is("a", starting, "a")}, "Reconciling a: 0 of 2 pods available"},
		"a cycle with a caller": {[]seen{is("x", starting, "b"), is("a", starting, "b"), is("b", starting, "a")}, "Reconciling a: 0 of 2 pods available; blocks x, b"},
		"a cycle with a cause": {
			[]seen{is("a", starting, "b"), is("b", starting, "a", "c"), is("c", unpulled)}, "Reconciling c: image pull failed; blocks a, b",
		},
		"many are blocked": {many, "Reconciling a: image pull failed; blocks b, c, d and 4 more"},
		"a long message":   {[]seen{long, is("b", starting, "a")}, "Reconciling a: " + strings.Repeat("x", 496) + "…; blocks b"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := strings.Replace(read(t, statusOf(observedOf(tc.services...), outcome{}).Conditions), " ServicesNotReady:", "", 1)
			if got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}
