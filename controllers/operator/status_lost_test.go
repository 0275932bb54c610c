package operator

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// wipe empties the status of a resource, as a restore from a backup does.
func (w *world) wipe(object client.Object) {
	w.Helper()
	err := w.client.Status().Patch(w.Context(), object, client.RawPatch("application/merge-patch+json", []byte(`{"status": null}`)))
	if err != nil {
		w.Fatal(err)
	}
}

func TestLostStatusComesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	p := w.platform("{}")
	w.ready(p)
	o.settle()
	m := get(w, "acme-gateway", &v1alpha1.Microservice{})
	platformStatus, serviceStatus, children := p.Status, m.Status, w.children()
	w.wipe(m)
	w.wipe(p)
	w.ready(p)
	w.ready(m)
	o.settle()
	if diff := cmp.Diff(children, w.children()); diff != "" {
		t.Errorf("children changed (-before +after):\n%s", diff)
	}
	same(t, platformStatus, get(w, "acme", p).Status)
	same(t, serviceStatus, get(w, m.Name, m).Status)
}

func same(t *testing.T, before, after any) {
	t.Helper()
	if diff := cmp.Diff(before, after, cmpopts.IgnoreFields(metav1.Condition{}, "LastTransitionTime")); diff != "" {
		t.Errorf("status (-before +after):\n%s", diff)
	}
}

// The release that a platform runs is found again in its Microservices, also by
// an operator that would give a new platform a newer one.
func TestLostStatusKeepsTheRelease(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.start(catalog("1.0.0"))
	w.playControllers()
	p := w.platform("{}")
	w.ready(p)
	first.settle()
	first.stop()
	children := w.children()
	w.wipe(p)
	for _, name := range []string{"acme-gateway", "acme-streaming"} {
		w.wipe(get(w, name, &v1alpha1.Microservice{}))
	}
	o := w.start(catalog("2.0.0", "1.0.0"))
	w.eventually(func() error {
		if err := w.is(p, v1alpha1.ConditionReady, "", ""); err != nil {
			return err
		}
		if p.Status.Release != "1.0.0" {
			return errors.New("release " + p.Status.Release)
		}
		return nil
	})
	o.settle()
	if diff := cmp.Diff(children, w.children()); diff != "" {
		t.Errorf("children changed (-before +after):\n%s", diff)
	}
}
