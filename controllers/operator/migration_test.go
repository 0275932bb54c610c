package operator

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// migrates is a finder whose migration has an image of its own.
func migrates(tag string) string {
	return fmt.Sprintf(`{platformRef: {name: acme}, replicas: 2, image: "registry.test/finder:1", migration: {image: "registry.test/migrate:%s"}}`, tag)
}

func (w *world) wantsMigration(m *v1alpha1.Microservice, image, migration string) {
	w.Helper()
	change(w, m, func(m *v1alpha1.Microservice) {
		m.Spec.Image, m.Spec.Migration.Image = "registry.test/finder:"+image, "registry.test/migrate:"+migration
	})
}

// jobs are those of the namespace that are not on their way out.
func (w *world) jobs() []batchv1.Job {
	w.Helper()
	list := &batchv1.JobList{}
	if err := w.client.List(w.Context(), list, client.InNamespace(w.namespace)); err != nil {
		w.Fatal(err)
	}
	return slices.DeleteFunc(list.Items, func(j batchv1.Job) bool { return !j.DeletionTimestamp.IsZero() })
}

// onlyJob waits until one Job is left, which has an image.
func (w *world) onlyJob(image string) *batchv1.Job {
	w.Helper()
	var found *batchv1.Job
	w.eventually(func() error {
		var images []string
		all := w.jobs()
		for i := range all {
			found = &all[i]
			images = append(images, strings.TrimPrefix(found.Spec.Template.Spec.Containers[0].Image, "registry.test/migrate:"))
		}
		if diff := cmp.Diff([]string{image}, images); diff != "" {
			return fmt.Errorf("migrations (-want +got):\n%s", diff)
		}
		return nil
	})
	return found
}

func (w *world) hasNo(name string, object client.Object) {
	w.Helper()
	err := w.client.Get(w.Context(), client.ObjectKey{Namespace: w.namespace, Name: name}, object)
	if !apierrors.IsNotFound(err) {
		w.Errorf("%T %s: %v", object, name, err)
	}
}

// No pod of a new revision starts before its migration is done; what runs goes
// on meanwhile, and a migration that is done is never run again.
func TestMigrationGoesFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.microservice("finder", migrates("slow"))
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	w.becomes(m, v1alpha1.ConditionReconciling, v1alpha1.ReasonMigrating, "waits for its migration, Job finder-")
	first := w.onlyJob("slow")
	w.hasNo("finder-blue", &appsv1.Deployment{})
	get(w, "finder", &corev1.ServiceAccount{})
	if m.Status.CurrentRevision != "" {
		t.Errorf("runs %q", m.Status.CurrentRevision)
	}
	w.settled(o)

	t.Log("A Job that is removed before its end is made again.")
	w.remove(first)
	w.eventually(func() error {
		if again := w.onlyJob("slow"); again.UID == first.UID {
			return fmt.Errorf("still the first")
		}
		return nil
	})
	if err := w.end(t.Context(), w.onlyJob("slow"), batchv1.JobSuccessCriteriaMet, batchv1.JobComplete, ""); err != nil {
		t.Fatal(err)
	}
	w.ready(m)
	w.runs("registry.test/finder:1")
	w.settled(o)

	t.Log("One that is done is not.")
	w.remove(w.onlyJob("slow"))
	o.settle()
	change(w, m, func(m *v1alpha1.Microservice) { m.Spec.Replicas = new(int32(3)) })
	w.ready(m)
	w.settled(o)
	if all := w.jobs(); len(all) > 0 {
		t.Errorf("%d migrations", len(all))
	}

	t.Log("What runs goes on, and is scaled, beside the next one.")
	w.wantsMigration(m, "2", "slow")
	w.becomes(m, v1alpha1.ConditionReconciling, v1alpha1.ReasonMigrating, "")
	w.onlyJob("slow")
	w.runs("registry.test/finder:1")
	w.scalesMeanwhile(m)
	w.settled(o)

	t.Log("Another specification stops it, and its own comes after its end.")
	w.wantsMigration(m, "3", "3")
	w.ready(m)
	w.runs("registry.test/finder:3")
	w.onlyJob("3")
	w.wantsMigration(m, "1", "slow") // was done
	w.ready(m)
	w.runs("registry.test/finder:1")
	w.settled(o)
}

// A migration that fails keeps its revision away, across restarts and a lost
// status, until the specification or retry changes.
func TestMigrationFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.microservice("finder", migrates("bad"))
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	w.becomes(m, v1alpha1.ConditionStalled, v1alpha1.ReasonMigrationFailed, "kubectl logs -n "+w.namespace+" job/finder-")
	w.hasNo("finder-blue", &appsv1.Deployment{})
	w.settled(o)

	t.Log("A failed one that is removed is not run again by itself.")
	failed := w.onlyJob("bad")
	w.remove(failed)
	w.settled(o)
	w.has(m, v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonMigrationFailed)
	change(w, m, func(m *v1alpha1.Microservice) { m.Spec.Rollout = &v1alpha1.Rollout{Retry: "now"} })
	if again := w.onlyJob("bad"); again.Name == failed.Name {
		t.Errorf("%s was run again", again.Name)
	}
	w.becomes(m, v1alpha1.ConditionStalled, v1alpha1.ReasonMigrationFailed, "")

	w.wantsMigration(m, "1", "1")
	w.ready(m)
	w.wantsMigration(m, "2", "bad")
	w.becomes(m, v1alpha1.ConditionStalled, v1alpha1.ReasonMigrationFailed, "what ran before goes on")
	w.runs("registry.test/finder:1")
	if m.Status.FailedRevision != m.Status.UpdateRevision || m.Status.CurrentRevision != m.Status.StableRevision {
		t.Errorf("status %+v", m.Status)
	}
	o.stop()
	w.wipe(m)
	o = w.start(catalog("1.0.0"))
	w.becomes(m, v1alpha1.ConditionStalled, v1alpha1.ReasonMigrationFailed, "")
	w.settled(o)
	w.wantsMigration(m, "1", "1")
	w.ready(m)
	w.settled(o)
}

// A Job of others is not touched, and says nothing about a migration.
func TestMigrationOfOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	foreign := w.migrationOfOthers("finder", migrates("1"))
	w.start(catalog("1.0.0"))
	w.playControllers()
	m := w.microservice("finder", migrates("1"))
	w.becomes(m, v1alpha1.ConditionStalled, v1alpha1.ReasonNameConflict, "Job "+foreign.Name+" exists")
	w.hasNo("finder-blue", &appsv1.Deployment{})
	w.remove(get(w, foreign.Name, &batchv1.Job{}))
	w.ready(m)
}

// migrationOfOthers takes the name of the first Job of a Microservice.
func (w *world) migrationOfOthers(name, spec string) *batchv1.Job {
	w.Helper()
	foreign := &batchv1.Job{}
	foreign.Name = w.revisionOf(name, spec) + "-1"
	foreign.Spec.Template.Spec = corev1.PodSpec{
		RestartPolicy: corev1.RestartPolicyNever, Containers: []corev1.Container{{Name: "x", Image: "registry.test/x:1"}},
	}
	w.create(foreign)
	return foreign
}
