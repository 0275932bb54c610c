package microservice

import (
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/apply"
	"github.com/streamplane/streamplane/controllers/conditions"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
	"github.com/streamplane/streamplane/controllers/microservice/rollout"
)

// A migration is what the cache has of the Jobs that run before pods.
type migration struct {
	// name of the Job for this attempt at the wanted revision; "" where none is
	// asked for.
	name string
	// noted says that it is done.
	noted bool
	// attempt is the number in the name.
	attempt int64
	// job is nil while it does not exist.
	job *batchv1.Job
	// pods of the job; shared with the cache.
	pods []corev1.Pod
	// others are the Jobs of other attempts and revisions.
	others []batchv1.Job
}

// readMigration finds the Jobs that are ours.
func readMigration(ctx context.Context, c client.Reader, o observed) (migration, error) {
	var found migration
	if stored := o.history.find(o.wanted.Name); o.wanted.Spec.Migration != nil {
		if stored != nil {
			found.attempt, found.noted = stored.Revision, Migrated(stored)
		}
		found.name = desired.MigrationName(o.wanted.Name, found.attempt)
	}
	list := &batchv1.JobList{}
	err := c.List(ctx, list, client.InNamespace(o.microservice.Namespace), client.MatchingFields{apply.OwnerIndex: string(o.microservice.UID)})
	if err != nil {
		return found, fmt.Errorf("list migrations: %w", err)
	}
	for i := range list.Items {
		job := &list.Items[i]
		if job.Name == found.name && job.DeletionTimestamp.IsZero() {
			found.job = job
		} else {
			found.others = append(found.others, *job)
		}
	}
	if found.job == nil {
		return found, nil
	}
	found.pods, err = instancePods(ctx, c, o.microservice)
	found.pods = slices.DeleteFunc(found.pods, func(p corev1.Pod) bool { return !metav1.IsControlledBy(&p, found.job) })
	return found, err
}

// Migrated says whether the migration of a revision is done.
func Migrated(r *appsv1.ControllerRevision) bool { return r.Annotations[annotationMigrated] != "" }

// migrationState is nil when nothing is to be done before the pods start.
func (o observed) migrationState() *rollout.Migration {
	m := o.migration
	if m.name == "" || m.noted {
		return nil
	}
	state := &rollout.Migration{}
	if m.job == nil {
		return state
	}
	for _, c := range m.job.Status.Conditions {
		switch {
		case c.Status != corev1.ConditionTrue:
		case c.Type == batchv1.JobComplete:
			state.Done = true
		case c.Type == batchv1.JobFailed:
			state.Failure = &rollout.Failure{Reason: v1alpha1.ReasonMigrationFailed, Message: conditions.Shorten(m.failure(c))}
		}
	}
	return state
}

// failure says how the Job has ended, and where to look.
func (m migration) failure(c batchv1.JobCondition) string {
	what := "its pods failed"
	if c.Reason == batchv1.JobReasonDeadlineExceeded {
		what = fmt.Sprintf("it did not end within %d seconds (migration.activeDeadlineSeconds)", *m.job.Spec.ActiveDeadlineSeconds)
	}
	if code := m.exitCode(); code != 0 {
		what += fmt.Sprintf(", the last one with exit code %d", code)
	}
	return fmt.Sprintf("Job %s: %s; look at its logs with kubectl logs -n %s job/%s", m.name, what, m.job.Namespace, m.name)
}

// exitCode is that of the last pod, or 0 when it is not known.
func (m migration) exitCode() int32 {
	var last *corev1.Pod
	for i := range m.pods {
		p := &m.pods[i]
		if last == nil || last.CreationTimestamp.Before(&p.CreationTimestamp) {
			last = p
		}
	}
	if last == nil {
		return 0
	}
	for _, s := range last.Status.ContainerStatuses {
		if t := s.State.Terminated; t != nil && s.Name == desired.MigrationContainer {
			return t.ExitCode
		}
	}
	return 0
}

func unfinished(job batchv1.Job) bool {
	return !slices.ContainsFunc(job.Status.Conditions, func(c batchv1.JobCondition) bool {
		return c.Status == corev1.ConditionTrue && (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed)
	})
}

// migrate deletes the Jobs of other attempts and begins the one that is wanted.
// Two migrations of a service never run at once: one that still runs is waited
// for until its pods are gone. It returns the number of writes.
func (r *Reconciler) migrate(ctx context.Context, o observed) (writes int, err error) {
	busy := false
	for _, job := range o.migration.others {
		how := metav1.DeletePropagationBackground
		if unfinished(job) {
			busy, how = true, metav1.DeletePropagationForeground
		}
		if !job.DeletionTimestamp.IsZero() {
			continue
		}
		logf.FromContext(ctx).Info("Deleting migration", "object", job.Name)
		err := r.Client.Delete(ctx, &job, client.Preconditions{UID: &job.UID}, client.PropagationPolicy(how))
		if client.IgnoreNotFound(err) != nil {
			return writes, fmt.Errorf("delete migration %s: %w", job.Name, err)
		}
		apply.Count(kindMigration, apply.Unwanted)
		writes++
	}
	begins := o.step.State == rollout.Migrating && !o.step.Begin && o.migration.job == nil
	if busy || !begins {
		return writes, nil
	}
	return writes + 1, r.create(ctx, o, desired.Migration(o.microservice, o.wanted, o.migration.attempt))
}

const kindMigration = "Job"

// migrating holds while pods of the wanted revision wait for its migration.
func migrating(o observed, _ outcome) (conditions.Summary, bool) {
	if o.step.State != rollout.Migrating {
		return conditions.Summary{}, false
	}
	message := fmt.Sprintf("revision %s waits for its migration, Job %s", o.wanted.Name, o.migration.name)
	if found := firstCause(o.migration.pods); found.reason != "" && !found.transient() {
		return conditions.Reconciling(found.reason, message+": "+found.message()), true
	}
	return conditions.Reconciling(v1alpha1.ReasonMigrating, message), true
}

// migrationFailed holds while no pod of the wanted revision may start.
func migrationFailed(o observed, _ outcome) (conditions.Summary, bool) {
	if o.step.State != rollout.Returned || o.step.Why.Reason != v1alpha1.ReasonMigrationFailed || o.step.Note && !o.acts() {
		return conditions.Summary{}, false
	}
	return conditions.Stalled(v1alpha1.ReasonMigrationFailed, fmt.Sprintf(
		"the migration to revision %s with image %s failed, what ran before goes on; correct the specification, or change rollout.retry to try once more: %s",
		o.wanted.Name, o.wanted.Spec.Image, o.step.Why.Message)), true
}
