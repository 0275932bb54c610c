// Package rollout decides which revision of a service a slot runs. It is pure:
// what is known of revisions and pods in, one step out.
package rollout

// A Revision is one version of the pods of a service, as far as it was tried.
type Revision struct {
	Name string
	// Number orders revisions by when they were last begun.
	Number int64
	// Good says that all pods of it were available once since it was begun.
	Good bool
	// Failure is why it was given up, or nil.
	Failure *Failure
}

// A Failure is why the pods of a revision cannot run.
type Failure struct {
	Reason  string `json:"reason"`
	Message string `json:"message"`
	// Retry is what spec.rollout.retry said when it failed.
	Retry string `json:"retry,omitempty"`
}

// Observed is what a step depends on.
type Observed struct {
	// Wanted is the name of the revision that the specification asks for.
	Wanted string
	// Applied is the name of the one that the Deployment has, or "".
	Applied string
	// Known are the revisions that were begun and are not forgotten.
	Known []Revision
	// Hold says why Wanted is not to be begun yet, or "".
	Hold string
	// Retry is what spec.rollout.retry says.
	Retry string
	// Complete says that all pods of Applied are available, and that there are some.
	Complete bool
	// Failure is why pods of Applied cannot run, or nil.
	Failure *Failure
	// Migration is what comes before the pods of Wanted, or nil when nothing does
	// or when it is noted as done.
	Migration *Migration
}

// A Migration has ended or not.
type Migration struct {
	Done bool
	// Failure is why it has ended without success, or nil.
	Failure *Failure
}

// State says how what runs relates to what is wanted.
type State int

// The states of a rollout.
const (
	// Runs says that the wanted revision runs or is on its way.
	Runs State = iota
	// Held says that the wanted revision waits.
	Held
	// Migrating says that the pods of the wanted revision wait for its migration.
	Migrating
	// Returned says that the wanted revision failed and an older one runs again,
	// or still.
	Returned
)

// A Step is what to do now. What it notes of revisions is written before the
// Deployment, so that a restart in between comes to the same step.
type Step struct {
	// Run is the name of the revision that the slot is to run. It is "" while no
	// pod may start and nothing is known to run.
	Run   string
	State State
	// Begin makes the wanted revision the newest, of whose pods nothing is known
	// yet.
	Begin bool
	// Renew makes the wanted revision the newest and keeps what is known of it.
	Renew bool
	// Good notes that the wanted revision, which runs, has proven itself.
	Good bool
	// Migrated notes that the migration of the wanted revision is done.
	Migrated bool
	// Note notes Why as the failure of the wanted revision.
	Note bool
	// Why the wanted revision failed, with Returned.
	Why Failure
}

// Next is the step that follows from what is observed.
func Next(o Observed) Step {
	if o.Applied == o.Wanted {
		o.Migration = nil // it was done before
	}
	wanted := o.find(o.Wanted)
	if back, returned := o.back(wanted); returned {
		return back
	}
	if wanted == nil {
		return o.begin()
	}
	if o.Applied == o.Wanted || o.Applied == "" && wanted.Good { // a Deployment that was deleted is repaired
		return Step{Run: o.Wanted, Good: o.Complete && !wanted.Good, Renew: wanted.Number < o.newest()}
	}
	if wanted.Good && o.Hold != "" { // going back to what has run before waits for nobody
		o.Hold = ""
	}
	return o.begin()
}

// back returns to the last good revision when the wanted one failed. Without
// one there is nothing better to run. What runs stays when the wanted one failed
// before its first pod.
func (o Observed) back(wanted *Revision) (Step, bool) {
	if wanted == nil {
		return Step{}, false
	}
	newest := wanted.Number == o.newest()
	run, failure, fails := o.LastGood(), o.Failure, o.Applied == o.Wanted && !wanted.Good
	if o.Migration != nil {
		run, failure, fails = o.current(), o.Migration.Failure, newest && wanted.Failure == nil
	}
	switch {
	case run == "" && o.Migration == nil:
		return Step{}, false
	case newest && wanted.Failure != nil && wanted.Failure.Retry == o.Retry:
		return Step{Run: run, State: Returned, Why: *wanted.Failure}, true
	case fails && failure != nil:
		return Step{Run: run, State: Returned, Note: true, Why: Failure{
			Reason: failure.Reason, Message: failure.Message, Retry: o.Retry,
		}}, true
	default:
		return Step{}, false
	}
}

// begin the wanted revision, or go on with it, unless it waits.
func (o Observed) begin() Step {
	if o.Hold != "" && o.Applied != o.Wanted {
		if run := o.current(); run != "" {
			return Step{Run: run, State: Held}
		}
	}
	wanted := o.find(o.Wanted)
	begun := wanted != nil && wanted.Number == o.newest() && !wanted.Good && wanted.Failure == nil
	switch {
	case o.Migration == nil:
		return Step{Run: o.Wanted, Begin: !begun}
	case begun && o.Migration.Done:
		return Step{Run: o.Wanted, Migrated: true}
	default:
		return Step{Run: o.current(), State: Migrating, Begin: !begun}
	}
}

// current is the revision to stay with, or "" when nothing is known to run.
func (o Observed) current() string {
	if r := o.find(o.Applied); r != nil {
		return r.Name
	}
	return o.LastGood()
}

// LastGood is the revision to return to: the one that is applied, or else the
// newest.
func (o Observed) LastGood() string {
	var last Revision
	for _, r := range o.Known {
		if r.Name == o.Wanted || !r.Good {
			continue
		}
		if r.Name == o.Applied {
			return r.Name
		}
		if r.Number > last.Number {
			last = r
		}
	}
	return last.Name
}

func (o Observed) newest() int64 {
	var n int64
	for _, r := range o.Known {
		n = max(n, r.Number)
	}
	return n
}

func (o Observed) find(name string) *Revision {
	for i := range o.Known {
		if o.Known[i].Name == name {
			return &o.Known[i]
		}
	}
	return nil
}
