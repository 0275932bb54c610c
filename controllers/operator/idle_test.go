package operator

import (
	"testing"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/internal/golden"
)

func TestNothingChangedWritesAndReadsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	w.ready(w.platform("{}"))
	o.settle()
	o.idle()
}

// Whatever fields are set, the API server's defaults never look like changes.
func TestNothingChangedWithEveryField(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	for name, file := range golden.Inputs(t, "../microservice/desired/testdata") {
		m := &v1alpha1.Microservice{}
		golden.Read(t, file, m)
		if m.Name == "search" { // the name of several cases
			m.Name = name
		}
		w.create(m)
		w.becomes(m, v1alpha1.ConditionReady, "", "")
	}
	o.settle()
	o.idle()
}
