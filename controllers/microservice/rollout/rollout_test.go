package rollout

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNext(t *testing.T) {
	good := func(name string, number int64) Revision { return Revision{Name: name, Number: number, Good: true} }
	begun := func(name string, number int64) Revision { return Revision{Name: name, Number: number} }
	failed := func(name string, number int64, retry string) Revision {
		return Revision{Name: name, Number: number, Failure: &Failure{Reason: "Crashing", Message: "ends", Retry: retry}}
	}
	crash := &Failure{Reason: "Crashing", Message: "ends"}
	why := func(retry string) Failure { return Failure{Reason: "Crashing", Message: "ends", Retry: retry} }
	pending, done, broken := &Migration{}, &Migration{Done: true}, &Migration{Failure: crash}
	cases := map[string]struct {
		now  Observed
		want Step
	}{
		"first start": {Observed{Wanted: "a"}, Step{Run: "a", Begin: true}},
		"first start waits for nobody": {
			Observed{Wanted: "a", Hold: "billing goes first"}, Step{Run: "a", Begin: true},
		},
		"of an operator that knew no revisions": {
			Observed{Wanted: "a", Complete: true}, Step{Run: "a", Begin: true},
		},
		"begun, not yet applied": {Observed{Wanted: "a", Known: []Revision{begun("a", 1)}}, Step{Run: "a"}},
		"on its way":             {Observed{Wanted: "a", Applied: "a", Known: []Revision{begun("a", 1)}}, Step{Run: "a"}},
		"complete": {
			Observed{Wanted: "a", Applied: "a", Known: []Revision{begun("a", 1)}, Complete: true}, Step{Run: "a", Good: true},
		},
		"at rest": {
			Observed{Wanted: "a", Applied: "a", Known: []Revision{good("a", 1)}, Complete: true}, Step{Run: "a"},
		},
		"a good one that was deleted": {
			Observed{Wanted: "b", Known: []Revision{good("a", 1), good("b", 2)}}, Step{Run: "b"},
		},
		"a good one that was deleted, and an older one is wanted": {
			Observed{Wanted: "a", Known: []Revision{good("a", 1), good("b", 2)}}, Step{Run: "a", Renew: true},
		},
		"a good one that crashes later": {
			Observed{Wanted: "a", Applied: "a", Known: []Revision{good("a", 2), good("z", 1)}, Failure: crash}, Step{Run: "a"},
		},
		"the first one fails": {
			Observed{Wanted: "a", Applied: "a", Known: []Revision{begun("a", 1)}, Failure: crash}, Step{Run: "a"},
		},
		"a new one": {
			Observed{Wanted: "b", Applied: "a", Known: []Revision{good("a", 1)}, Complete: true}, Step{Run: "b", Begin: true},
		},
		"a new one is held": {
			Observed{Wanted: "b", Applied: "a", Known: []Revision{good("a", 1)}, Hold: "x"}, Step{Run: "a", State: Held},
		},
		"held when it runs already": {
			Observed{Wanted: "b", Applied: "b", Known: []Revision{good("a", 1), begun("b", 2)}, Hold: "x"}, Step{Run: "b"},
		},
		"held, and what ran was deleted": {
			Observed{Wanted: "b", Known: []Revision{good("a", 1)}, Hold: "x"}, Step{Run: "a", State: Held},
		},
		"going back is not held": {
			Observed{Wanted: "a", Applied: "b", Known: []Revision{good("a", 1), begun("b", 2)}, Hold: "x"}, Step{Run: "a", Begin: true},
		},
		"held, and what runs is forgotten": {
			Observed{Wanted: "b", Applied: "gone", Hold: "x"}, Step{Run: "b", Begin: true},
		},
		"the new one fails": {
			Observed{Wanted: "b", Applied: "b", Known: []Revision{good("a", 1), begun("b", 2)}, Failure: crash, Retry: "1"},
			Step{Run: "a", State: Returned, Note: true, Why: why("1")},
		},
		"noted, not yet returned": {
			Observed{Wanted: "b", Applied: "b", Known: []Revision{good("a", 1), failed("b", 2, "")}, Failure: crash},
			Step{Run: "a", State: Returned, Why: why("")},
		},
		"returned": {
			Observed{Wanted: "b", Applied: "a", Known: []Revision{good("a", 1), failed("b", 2, "")}, Complete: true},
			Step{Run: "a", State: Returned, Why: why("")},
		},
		"returned, and what runs was deleted": {
			Observed{Wanted: "b", Known: []Revision{good("a", 1), good("z", 0), failed("b", 2, "")}},
			Step{Run: "a", State: Returned, Why: why("")},
		},
		"once more": {
			Observed{Wanted: "b", Applied: "a", Known: []Revision{good("a", 1), failed("b", 2, "")}, Retry: "1"}, Step{Run: "b", Begin: true},
		},
		"another one after a failure": {
			Observed{Wanted: "c", Applied: "a", Known: []Revision{good("a", 1), failed("b", 2, "")}}, Step{Run: "c", Begin: true},
		},
		"back to what runs after a failure": {
			Observed{Wanted: "a", Applied: "a", Known: []Revision{good("a", 1), failed("b", 2, "")}}, Step{Run: "a", Renew: true},
		},
		"the failed one again, after another": {
			Observed{Wanted: "b", Applied: "c", Known: []Revision{failed("b", 2, ""), good("c", 3)}}, Step{Run: "b", Begin: true},
		},
		"an old good one that fails now": {
			Observed{Wanted: "a", Applied: "a", Known: []Revision{begun("a", 3), good("b", 2)}, Failure: crash},
			Step{Run: "b", State: Returned, Note: true, Why: why("")},
		},
		"a migration before the first start": {
			Observed{Wanted: "a", Migration: pending}, Step{State: Migrating, Begin: true},
		},
		"a migration runs":    {Observed{Wanted: "a", Known: []Revision{begun("a", 1)}, Migration: pending}, Step{State: Migrating}},
		"a migration is done": {Observed{Wanted: "a", Known: []Revision{begun("a", 1)}, Migration: done}, Step{Run: "a", Migrated: true}},
		"a migration fails before the first start": {
			Observed{Wanted: "a", Known: []Revision{begun("a", 1)}, Migration: broken, Retry: "1"},
			Step{State: Returned, Note: true, Why: why("1")},
		},
		"a migration before the first start has failed": {
			Observed{Wanted: "a", Known: []Revision{failed("a", 1, "1")}, Migration: broken, Retry: "1"},
			Step{State: Returned, Why: why("1")},
		},
		"a failed migration is removed": {
			Observed{Wanted: "a", Known: []Revision{failed("a", 1, "1")}, Migration: pending, Retry: "1"},
			Step{State: Returned, Why: why("1")},
		},
		"a migration once more": {
			Observed{Wanted: "a", Known: []Revision{failed("a", 1, "1")}, Migration: broken, Retry: "2"},
			Step{State: Migrating, Begin: true},
		},
		"what runs goes on beside a migration": {
			Observed{Wanted: "b", Applied: "a", Known: []Revision{good("a", 1), begun("b", 2)}, Complete: true, Migration: pending},
			Step{Run: "a", State: Migrating},
		},
		"what runs goes on after a failed migration": {
			Observed{Wanted: "b", Applied: "a", Known: []Revision{good("a", 1), begun("b", 2)}, Migration: broken},
			Step{Run: "a", State: Returned, Note: true, Why: why("")},
		},
		"what crashes beside a migration is not what is wanted": {
			Observed{Wanted: "b", Applied: "a", Known: []Revision{good("a", 1), begun("b", 2)}, Failure: crash, Migration: pending},
			Step{Run: "a", State: Migrating},
		},
		"a migration is held, too": {
			Observed{Wanted: "b", Applied: "a", Known: []Revision{good("a", 1)}, Hold: "x", Migration: pending}, Step{Run: "a", State: Held},
		},
		"an old attempt at a migration": {
			Observed{Wanted: "b", Applied: "c", Known: []Revision{begun("b", 2), good("c", 3)}, Migration: broken},
			Step{Run: "c", State: Migrating, Begin: true},
		},
		"an operator that knew no revisions, and a migration": {
			Observed{Wanted: "a", Known: []Revision{begun("a", 1)}, Complete: true, Migration: pending}, Step{State: Migrating},
		},
		"what runs needs no migration, also when its record is lost": {
			Observed{Wanted: "a", Applied: "a", Complete: true, Migration: pending}, Step{Run: "a", Begin: true},
		},
		"what fails while a change waits is not what is wanted": {
			Observed{Wanted: "b", Applied: "a", Known: []Revision{begun("a", 1)}, Failure: crash}, Step{Run: "b", Begin: true},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, Next(tc.now)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
