package apply

import (
	"errors"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// What has just been made is told of once it can be seen, unless there is more.
func TestTellsLater(t *testing.T) {
	made := []client.Object{nil}
	cases := map[string]struct {
		done     Done
		err      error
		observed int64
		want     bool
	}{
		"made":            {Done{Created: made, Writes: 3}, nil, -1, true},
		"only changed":    {Done{Writes: 3}, nil, 1, false},
		"told before":     {Done{Created: made}, nil, 2, false},
		"a write failed":  {Done{Created: made}, errors.New("x"), 1, false},
		"an edit is back": {Done{Created: made, Edits: []Edit{{}}}, nil, 1, false},
	}
	for name, tc := range cases {
		if got := tc.done.TellsLater(tc.err, tc.observed, 2); got != tc.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
