package desired

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/internal/golden"
)

// Fields that no pod depends on make no new revision, and take effect whichever
// one runs; all others do.
func TestRevisionNames(t *testing.T) {
	live := map[string]bool{
		"Replicas": true, "Autoscaling": true, "Rollout": true, "Expose": true, "Metrics": true, "Network": true, "Disruption": true, "Paused": true,
	}
	seen := map[string]bool{}
	for name, file := range golden.Inputs(t, "testdata") {
		m := read(t, file)
		r := RevisionOf(m, SlotBlue, "")
		for i := range reflect.TypeFor[v1alpha1.WorkloadSpec]().NumField() {
			other := m.DeepCopy()
			field := reflect.ValueOf(&other.Spec.WorkloadSpec).Elem().Field(i)
			if field.IsZero() {
				continue
			}
			field.SetZero()
			what := reflect.TypeFor[v1alpha1.WorkloadSpec]().Field(i).Name
			seen[what] = true
			if same := RevisionOf(other, SlotBlue, "").Name == r.Name; same != live[what] {
				t.Errorf("%s without %s: the same revision: %t", name, what, same)
			}
			if is := reflect.ValueOf(r.Of(other).Spec.WorkloadSpec).Field(i).IsZero(); is != live[what] {
				t.Errorf("%s: %s takes effect at once: %t", name, what, is)
			}
		}
		if RevisionOf(m, SlotBlue, "other content").Name == r.Name {
			t.Errorf("%s: the same revision with other content", name)
		}
	}
	for what := range live {
		if what != "Paused" && !seen[what] {
			t.Errorf("no input has %s", what)
		}
	}
}

// A name must stay what it is for ever: another one would roll every pod.
func TestRevisionNameIsStable(t *testing.T) {
	if got, want := RevisionOf(read(t, "testdata/minimal.yaml"), SlotBlue, "").Name, "search-68562e925d"; got != want {
		t.Errorf("%s, was %s", got, want)
	}
	everything := read(t, "testdata/everything.yaml")
	everything.Spec.Migration = nil // younger than the name
	if got, want := RevisionOf(everything, SlotBlue, "k-r-1").Name, "acme-search-4163177823"; got != want {
		t.Errorf("%s, was %s", got, want)
	}
}

// What is stored is what was rendered.
func TestReadRevision(t *testing.T) {
	for name, file := range golden.Inputs(t, "testdata") {
		t.Run(name, func(t *testing.T) {
			m := read(t, file)
			r := RevisionOf(m, SlotBlue, "k-r-1")
			got, err := ReadRevision(r.Object(m, 1))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(toMap(t, r.Object(m, 1)), toMap(t, got.Object(m, 1))); diff != "" {
				t.Errorf("(-stored +read):\n%s", diff)
			}
		})
	}
	if _, err := ReadRevision(&appsv1.ControllerRevision{}); err == nil {
		t.Error("nothing is stored, and no error")
	}
}
