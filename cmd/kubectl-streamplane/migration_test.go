package main

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
)

// A migration is planned until it is done.
func TestPlanMigration(t *testing.T) {
	namespace := newNamespace(t)
	const manifest = `{apiVersion: streamplane.dev/v1alpha1, kind: Microservice, metadata: {name: finder},
		spec: {platformRef: {name: acme}, image: "registry.test/finder:1", migration: {args: [up]}}}`
	jobs := func() []string {
		t.Helper()
		p, err := planOf(t, namespace, manifest, "--releases", releasesFile(t))
		if err != nil {
			t.Fatal(err)
		}
		return slices.DeleteFunc(lines(p), func(line string) bool { return !strings.Contains(line, " Job/") })
	}
	m := &v1alpha1.Microservice{}
	if err := yaml.Unmarshal([]byte(manifest), m); err != nil {
		t.Fatal(err)
	}
	name := desired.RevisionOf(m, desired.SlotBlue, "").Name
	first := []string{"create Job/" + name + "-1 0 runs before the first new pod"}
	if diff := cmp.Diff(first, jobs()); diff != "" {
		t.Errorf("before anything exists (-want +got):\n%s", diff)
	}
	m.Namespace = namespace
	if err := plane.client.Create(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	stored := &appsv1.ControllerRevision{}
	eventually(t, func() error {
		job := client.ObjectKey{Namespace: namespace, Name: name + "-1"}
		return errors.Join(plane.client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, stored),
			plane.client.Get(t.Context(), job, &batchv1.Job{}))
	})
	if all := jobs(); len(all) > 0 {
		t.Errorf("while it runs: %v", all)
	}
	metav1.SetMetaDataAnnotation(&stored.ObjectMeta, "streamplane.dev/migrated", "true")
	if err := errors.Join(plane.client.Update(t.Context(), stored), plane.client.DeleteAllOf(t.Context(), &batchv1.Job{},
		client.InNamespace(namespace), client.PropagationPolicy(metav1.DeletePropagationBackground))); err != nil {
		t.Fatal(err)
	}
	if all := jobs(); len(all) > 0 {
		t.Errorf("once it is done: %v", all)
	}
}
