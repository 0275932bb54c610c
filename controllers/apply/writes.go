package apply

import "github.com/prometheus/client_golang/prometheus"

// The reasons for which the operator writes.
const (
	Missing   = "Missing"   // an object is made
	Changed   = "Changed"   // what is wanted is not what was last applied
	Drifted   = "Drifted"   // others changed what was applied
	Unwanted  = "Unwanted"  // an object is deleted
	Scaled    = "Scaled"    // the number of pods passes to an autoscaler
	Passed    = "Passed"    // a Microservice passes to its team, or back
	Reporting = "Reporting" // a status is written
)

// Writes counts what the operator wrote.
var Writes = prometheus.NewCounterVec(prometheus.CounterOpts{
	Name: "streamplane_writes_total",
	Help: "Writes to the API server that succeeded, by kind of the object and reason.",
}, []string{"kind", "reason"})

// Count adds one write.
func Count(kind, reason string) { Writes.WithLabelValues(kind, reason).Inc() }

// The reasons in the log that do not name a field.
const (
	missing       = "missing"
	wantedChanged = "wanted state changed"
)

// classOf bounds the reasons: those in the log name fields.
func classOf(reason string) string {
	switch reason {
	case missing:
		return Missing
	case wantedChanged:
		return Changed
	default:
		return Drifted
	}
}
