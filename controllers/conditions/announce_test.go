package conditions

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

func TestAnnounce(t *testing.T) {
	of := func(s Summary) []metav1.Condition {
		var all []metav1.Condition
		Set(&all, 1, s)
		return all
	}
	cases := map[string]struct {
		before, after []metav1.Condition
		want          []string
	}{
		"nothing known":      {nil, nil, nil},
		"new and on its way": {nil, of(Reconciling("Progressing", "0 of 1")), nil},
		"new and refused":    {nil, of(Stalled("InvalidSpec", "no")), []string{"Warning InvalidSpec no"}},
		"turned ready": {
			of(Reconciling("Progressing", "0 of 1")), of(Ready("Available", "1 of 1")), []string{"Normal Available 1 of 1"},
		},
		"turned stalled": {
			of(Ready("Available", "1 of 1")), of(Stalled("NameConflict", "taken: 100%s")), []string{"Warning NameConflict taken: 100%s"},
		},
		"another reason": {
			of(Reconciling("Progressing", "x")), of(Reconciling("PodsUnavailable", "y")), []string{"Normal PodsUnavailable y"},
		},
		"only the message changed": {of(Reconciling("Progressing", "0 of 2")), of(Reconciling("Progressing", "1 of 2")), nil},
		"nothing changed":          {of(Ready("Available", "x")), of(Ready("Available", "x")), nil},
		"conditions were lost":     {of(Ready("Available", "x")), nil, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			recorder := events.NewFakeRecorder(10)
			Announce(recorder, &v1alpha1.Microservice{}, tc.before, tc.after)
			close(recorder.Events)
			var got []string
			for event := range recorder.Events {
				got = append(got, event)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
