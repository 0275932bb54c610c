package conditions

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

func TestSet(t *testing.T) {
	ready := metav1.Condition{Type: "Ready", Status: metav1.ConditionTrue, ObservedGeneration: 3, Reason: "Available", Message: "all is well"}
	notReady := metav1.Condition{Type: "Ready", Status: metav1.ConditionFalse, ObservedGeneration: 3, Reason: "Why", Message: "because"}
	as := func(kind string) metav1.Condition {
		c := notReady
		c.Type, c.Status = kind, metav1.ConditionTrue
		return c
	}
	summaries := map[string]struct {
		summary Summary
		want    []metav1.Condition
	}{
		"ready":       {Ready("Available", "all is well"), []metav1.Condition{ready}},
		"reconciling": {Reconciling("Why", "because"), []metav1.Condition{notReady, as("Reconciling")}},
		"stalled":     {Stalled("Why", "because"), []metav1.Condition{notReady, as("Stalled")}},
	}
	before := map[string][]Summary{
		"from nothing":     nil,
		"from ready":       {Ready("Other", "before")},
		"from reconciling": {Reconciling("Other", "before")},
		"from stalled":     {Stalled("Other", "before")},
		"from a long way":  {Stalled("Other", "x"), Reconciling("Other", "x"), Ready("Other", "x"), Stalled("Other", "x")},
	}
	for name, tc := range summaries {
		for from, earlier := range before {
			t.Run(name+" "+from, func(t *testing.T) {
				var all []metav1.Condition
				for _, s := range earlier {
					Set(&all, 2, s)
				}
				Set(&all, 3, tc.summary)
				opts := cmp.Options{
					cmpopts.IgnoreFields(metav1.Condition{}, "LastTransitionTime"),
					cmpopts.SortSlices(func(a, b metav1.Condition) bool { return a.Type < b.Type }),
				}
				if diff := cmp.Diff(tc.want, all, opts); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestSetKeepsTheConditionsOfOthers(t *testing.T) {
	all := []metav1.Condition{{Type: "Audited", Status: metav1.ConditionTrue, Reason: "Yes"}}
	Set(&all, 1, Stalled("Why", "because"))
	Set(&all, 1, Ready("Available", "all is well"))
	if !apimeta.IsStatusConditionTrue(all, "Audited") {
		t.Errorf("lost: %v", all)
	}
}

func TestSetKeepsTheTimeOfTheTransition(t *testing.T) {
	var all []metav1.Condition
	Set(&all, 1, Ready("Available", "all is well"))
	since := metav1.Unix(1, 0)
	all[0].LastTransitionTime = since
	Set(&all, 2, Ready("Available", "all is well, again"))
	if got := all[0].LastTransitionTime; got != since {
		t.Errorf("%v, want %v", got, since)
	}
}

func TestShorten(t *testing.T) {
	cases := map[string]struct{ message, want string }{
		"empty":               {"", ""},
		"512 bytes stay":      {strings.Repeat("a", 512), strings.Repeat("a", 512)},
		"513 bytes are cut":   {strings.Repeat("a", 513), strings.Repeat("a", 509) + "…"},
		"two-byte characters": {strings.Repeat("é", 300), strings.Repeat("é", 254) + "…"},
		"four-byte characters": {
			"ab" + strings.Repeat("\U0001F3AC", 200), "ab" + strings.Repeat("\U0001F3AC", 126) + "…",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := Shorten(tc.message)
			if got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
			if len(got) > maxMessage || !utf8.ValidString(got) {
				t.Errorf("%d bytes, valid %t", len(got), utf8.ValidString(got))
			}
			if Shorten(got) != got {
				t.Error("shortened twice it changes: status would be written for ever")
			}
		})
	}
}

func TestMessagesAreShortened(t *testing.T) {
	var all []metav1.Condition
	Set(&all, 1, Stalled(v1alpha1.ReasonApplyFailed, strings.Repeat("x", 40000)))
	for _, c := range all {
		if len(c.Message) > maxMessage {
			t.Errorf("%s: %d bytes", c.Type, len(c.Message))
		}
	}
}
