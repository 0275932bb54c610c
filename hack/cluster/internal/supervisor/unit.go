// Package supervisor starts the processes of a cluster in order and starts
// them again when they end.
package supervisor

import (
	"context"
	"time"
)

// Unit is one process, or one step that must be done once.
type Unit struct {
	// Name of the component.
	Name string
	// After names the units that must be ready first.
	After []string
	// Prepare runs before every start, and again until it succeeds.
	Prepare func(context.Context) error
	// Argv is the program and its arguments; a unit without is done once prepared.
	Argv []string
	// Namespace is the file of the network namespace, empty for the machine's.
	Namespace string
	// Cgroup is the control group.
	Cgroup string
	// Ready reports whether others may rely on the unit; nil: as soon as it runs.
	Ready func(context.Context) error
}

// State is what a unit does now.
type State string

const (
	// Waiting for the units it comes after.
	Waiting State = "waiting"
	// Preparing means the preparation runs, or is tried again.
	Preparing State = "preparing"
	// Starting means the process runs but is not ready.
	Starting State = "starting"
	// Running means the process runs and has been ready.
	Running State = "running"
	// Done means the one-time step succeeded.
	Done State = "done"
	// Restarting means the process ended and will be started again.
	Restarting State = "restarting"
)

// Status describes one unit.
type Status struct {
	// Name of the component.
	Name string `json:"name"`
	// State is what it does now.
	State State `json:"state"`
	// PID of its process.
	PID int `json:"pid,omitempty"`
	// Restarts counts how often the process ended.
	Restarts int `json:"restarts"`
	// Since is when the state began.
	Since time.Time `json:"since"`
	// Problem is what went wrong last.
	Problem string `json:"problem,omitempty"`
}

// Healthy reports whether the unit does what it should.
func (s Status) Healthy() bool { return s.State == Running || s.State == Done }
