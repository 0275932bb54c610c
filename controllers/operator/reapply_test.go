package operator

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// A GitOps tool applies the same manifests every few seconds, with force and
// under a name of its own. Nothing may come of it: no generation, no write.
func TestReappliedManifestsChangeNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("0.1.0"))
	w.playControllers()
	manifests := []*unstructured.Unstructured{
		w.manifest(filepath.Join("..", "..", "config", "samples", "full.yaml")),
		w.manifest(filepath.Join("testdata", "team.yaml")),
	}
	for _, m := range manifests {
		w.reapply(m, "argocd-controller")
	}
	w.becomes(get(w, manifests[0].GetName(), &v1alpha1.StreamingPlatform{}), v1alpha1.ConditionReady, "", "")
	w.becomes(get(w, manifests[1].GetName(), &v1alpha1.Microservice{}), v1alpha1.ConditionReady, "", "")
	o.settle()

	before, mark := w.versions(), o.requests.mark()
	for range 20 {
		for _, m := range manifests {
			w.reapply(m, "argocd-controller")
		}
	}
	if err := o.reconcile(); err != nil {
		t.Fatal(err)
	}
	if sent := o.requests.since(mark, anything); len(sent) > 0 {
		t.Errorf("the operator sent %v", sent)
	}
	if diff := cmp.Diff(before, w.versions()); diff != "" {
		t.Errorf("objects changed (-before +after):\n%s", diff)
	}

	// A second tool takes nothing away from the first, and changes no child.
	children := w.children()
	for _, m := range manifests {
		generation := w.reapply(m, "argocd-controller")
		if now := w.reapply(m, "kustomize-controller"); now != generation {
			t.Errorf("%s: generation %d became %d", m.GetName(), generation, now)
		}
	}
	o.settle()
	if diff := cmp.Diff(children, w.children()); diff != "" {
		t.Errorf("children changed (-before +after):\n%s", diff)
	}
}

// manifest reads a file of one object into the namespace of the test.
func (w *world) manifest(file string) *unstructured.Unstructured {
	w.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		w.Fatal(err)
	}
	u := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(data, &u.Object); err != nil {
		w.Fatalf("%s: %v", file, err)
	}
	u.SetNamespace(w.namespace)
	return u
}

// reapply applies a manifest server-side and returns the generation.
func (w *world) reapply(manifest *unstructured.Unstructured, manager string) int64 {
	w.Helper()
	u := manifest.DeepCopy()
	err := w.client.Apply(w.Context(), client.ApplyConfigurationFromUnstructured(u),
		client.FieldOwner(manager), client.ForceOwnership)
	if err != nil {
		w.Fatal(err)
	}
	return u.GetGeneration()
}
