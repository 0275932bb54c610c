package microservice

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
	"github.com/streamplane/streamplane/controllers/microservice/rollout"
	"github.com/streamplane/streamplane/controllers/optional"
	"github.com/streamplane/streamplane/internal/golden"
)

// A kind that is built and not owned would be neither watched nor pruned.
func TestOwnedIsWhatIsBuilt(t *testing.T) {
	built := map[string]bool{}
	for _, file := range golden.Inputs(t, "desired/testdata") {
		m := &v1alpha1.Microservice{}
		golden.Read(t, file, m)
		revision := desired.RevisionOf(m, desired.SlotBlue, "")
		objects := append(desired.Objects(m, desired.SlotBlue, revision, ""), revision.Object(m, 1))
		if m.Spec.Migration != nil {
			objects = append(objects, desired.Migration(m, revision, 1))
		}
		for _, object := range objects {
			built[object.GetObjectKind().GroupVersionKind().String()] = true
		}
	}
	var owned, optionally, pruned []string
	for _, kind := range Owned() {
		gvk, err := apiutil.GVKForObject(kind, scheme.Scheme)
		if err != nil {
			t.Fatal(err)
		}
		owned = append(owned, gvk.String())
	}
	o := observed{microservice: search(v1alpha1.WorkloadSpec{}), deployment: deployment(1, 1), step: rollout.Step{Run: "search-1"}}
	for _, list := range prunableNow(o) {
		gvk, err := apiutil.GVKForObject(list, scheme.Scheme)
		if err != nil {
			t.Fatal(err)
		}
		gvk.Kind = strings.TrimSuffix(gvk.Kind, "List")
		pruned = append(pruned, gvk.String())
	}
	for _, api := range Optional() {
		optionally = append(optionally, api.Kind.String())
	}
	for kind := range beside(optional.Served{}) {
		pruned = append(pruned, kind.String())
	}
	pruned = append(pruned, appsv1.SchemeGroupVersion.WithKind(kindRevision).String())   // down to the limit of the history
	pruned = append(pruned, batchv1.SchemeGroupVersion.WithKind(kindMigration).String()) // all but the last
	slices.Sort(owned)
	slices.Sort(pruned)
	all := slices.Sorted(slices.Values(slices.Concat(owned, optionally)))
	if diff := cmp.Diff(slices.Sorted(maps.Keys(built)), all); diff != "" {
		t.Errorf("Owned() and Optional() (-built +owned):\n%s", diff)
	}
	if diff := cmp.Diff(owned, pruned); diff != "" {
		t.Errorf("prunable() (-owned +pruned):\n%s", diff)
	}
}
