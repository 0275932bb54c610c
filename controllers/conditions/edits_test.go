package conditions

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

func TestPutEdits(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	type step struct {
		after      time.Duration
		generation int64
		advice     []string
		// want is the message, and how long it will stay.
		want string
	}
	edit := []string{"a was set back"}
	cases := map[string][]step{
		"nothing to tell":        {{0, 1, nil, ""}},
		"told for an hour":       {{0, 1, edit, "a was set back 1h0m0s"}, {time.Minute, 1, nil, "a was set back 59m0s"}, {time.Hour, 1, nil, ""}},
		"until the next change":  {{0, 1, edit, "a was set back 1h0m0s"}, {time.Minute, 2, nil, ""}},
		"again: nothing written": {{0, 1, edit, "a was set back 1h0m0s"}, {time.Minute, 1, edit, "a was set back 59m0s"}},
		"another edit":           {{0, 1, edit, "a was set back 1h0m0s"}, {time.Minute, 1, []string{"b", "c"}, "b; and 1 more 1h0m0s"}},
	}
	for name, steps := range cases {
		t.Run(name, func(t *testing.T) {
			var all []metav1.Condition
			for i, s := range steps {
				now := start.Add(s.after)
				PutEdits(&all, s.generation, s.advice, now)
				got := ""
				if c := apimeta.FindStatusCondition(all, v1alpha1.ConditionEditReverted); c != nil {
					got = fmt.Sprintf("%s %s", c.Message, EditsLeft(all, now))
				}
				if got != s.want {
					t.Errorf("step %d: %q, want %q", i, got, s.want)
				}
			}
		})
	}
}

func TestAnnounceEdits(t *testing.T) {
	recorder := events.NewFakeRecorder(10)
	var none, first, again, other []metav1.Condition
	PutEdits(&first, 1, []string{"a"}, time.Unix(1, 0))
	PutEdits(&again, 2, []string{"a"}, time.Unix(2, 0))
	PutEdits(&other, 2, []string{"b"}, time.Unix(2, 0))
	for _, turn := range [][2][]metav1.Condition{{none, none}, {none, first}, {first, again}, {again, other}, {other, none}} {
		AnnounceEdits(recorder, &v1alpha1.Microservice{}, turn[0], turn[1])
	}
	close(recorder.Events)
	var got []string
	for event := range recorder.Events {
		got = append(got, event)
	}
	if diff := cmp.Diff([]string{"Warning EditReverted a", "Warning EditReverted b"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
