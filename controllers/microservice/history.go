package microservice

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/apply"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
	"github.com/streamplane/streamplane/controllers/microservice/rollout"
)

// What became of a revision is noted at its ControllerRevision: it outlives the
// status.
const (
	annotationGood    = "streamplane.dev/good"
	annotationFailure = "streamplane.dev/failure"
	// annotationMigrated outlives further attempts at the revision, and its Job.
	annotationMigrated = "streamplane.dev/migrated"
)

// defaultHistoryLimit is rollout.historyLimit where it is absent.
const defaultHistoryLimit = 3

// history are the revisions of a service that are stored.
type history []appsv1.ControllerRevision

// readHistory lists what is ours. The objects are shared with the cache.
func readHistory(ctx context.Context, c client.Reader, o observed) (history, error) {
	list := &appsv1.ControllerRevisionList{}
	err := c.List(ctx, list, client.InNamespace(o.microservice.Namespace),
		client.MatchingFields{apply.OwnerIndex: string(o.microservice.UID)}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return nil, fmt.Errorf("list revisions: %w", err)
	}
	return slices.DeleteFunc(list.Items, func(r appsv1.ControllerRevision) bool { return !r.DeletionTimestamp.IsZero() }), nil
}

func (h history) find(name string) *appsv1.ControllerRevision {
	for i := range h {
		if h[i].Name == name {
			return &h[i]
		}
	}
	return nil
}

func (h history) newest() int64 {
	var n int64
	for i := range h {
		n = max(n, h[i].Revision)
	}
	return n
}

// revisions are what a rollout is decided by.
func (h history) revisions() []rollout.Revision {
	var all []rollout.Revision
	for i := range h {
		r := rollout.Revision{Name: h[i].Name, Number: h[i].Revision, Good: h[i].Annotations[annotationGood] != ""}
		if text := h[i].Annotations[annotationFailure]; text != "" {
			r.Failure = &rollout.Failure{}
			if json.Unmarshal([]byte(text), r.Failure) != nil {
				r.Failure.Message = text // somebody wrote it by hand
			}
		}
		all = append(all, r)
	}
	return all
}

// record notes what a step says of revisions, before the step is taken: after a
// restart in between, the same step follows. It returns the number of writes.
func (r *Reconciler) record(ctx context.Context, o observed) (int, error) {
	writes := 0
	if o.step.Note {
		failure, err := json.Marshal(o.step.Why)
		if err != nil {
			return writes, fmt.Errorf("note failure: %w", err)
		}
		err = r.note(ctx, o.history.find(o.wanted.Name), func(c *appsv1.ControllerRevision) {
			metav1.SetMetaDataAnnotation(&c.ObjectMeta, annotationFailure, string(failure))
		})
		if err != nil {
			return writes, err
		}
		writes++
	}
	if !o.step.Begin && !o.step.Renew && !o.step.Good && !o.step.Migrated {
		return writes, nil
	}
	stored := o.history.find(o.wanted.Name)
	if stored == nil {
		return writes + 1, r.create(ctx, o, o.wanted.Object(o.microservice, o.history.newest()+1))
	}
	return writes + 1, r.note(ctx, stored, o.become)
}

// become is what a step notes of the wanted revision.
func (o observed) become(c *appsv1.ControllerRevision) {
	if o.step.Begin || o.step.Renew {
		c.Revision = o.history.newest() + 1
	}
	if o.step.Begin {
		delete(c.Annotations, annotationGood)
		delete(c.Annotations, annotationFailure)
	}
	if o.step.Good {
		metav1.SetMetaDataAnnotation(&c.ObjectMeta, annotationGood, "true")
	}
	if o.step.Migrated {
		metav1.SetMetaDataAnnotation(&c.ObjectMeta, annotationMigrated, "true")
	}
}

// note fails with a conflict when the cache lags.
func (r *Reconciler) note(ctx context.Context, stored *appsv1.ControllerRevision, change func(*appsv1.ControllerRevision)) error {
	changed := stored.DeepCopy()
	change(changed)
	patch := client.MergeFromWithOptions(stored.DeepCopy(), client.MergeFromWithOptimisticLock{})
	if err := r.Client.Patch(ctx, changed, patch, client.FieldOwner(apply.FieldManager)); err != nil {
		return fmt.Errorf("note what became of revision %s: %w", stored.Name, err)
	}
	apply.Count(kindRevision, apply.Changed)
	return nil
}

const kindRevision = "ControllerRevision"

// create makes an object that is never changed by an apply. One that exists is
// ours and only too new for the cache, or another's and not touched.
func (r *Reconciler) create(ctx context.Context, o observed, object client.Object) error {
	kind := object.GetObjectKind().GroupVersionKind()
	owner := metav1.NewControllerRef(o.microservice, v1alpha1.GroupVersion.WithKind("Microservice"))
	owner.BlockOwnerDeletion = new(false) // no permission on the owner's finalizers is needed
	object.SetOwnerReferences([]metav1.OwnerReference{*owner})
	logf.FromContext(ctx).Info("Making object", "kind", kind.Kind, "object", object.GetName())
	err := r.Client.Create(ctx, object.DeepCopyObject().(client.Object), client.FieldOwner(apply.FieldManager))
	if err == nil {
		apply.Count(kind.Kind, apply.Missing)
		return nil
	}
	if !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("make %s %s: %w", kind.Kind, object.GetName(), err)
	}
	live := &metav1.PartialObjectMetadata{}
	live.SetGroupVersionKind(kind)
	if err := r.Live.Get(ctx, client.ObjectKeyFromObject(object), live); err != nil {
		return fmt.Errorf("read %s %s: %w", kind.Kind, object.GetName(), err)
	}
	return apply.MayTouch(live, object, nil)
}

// forget deletes the oldest revisions beyond the limit. The one that runs, the
// wanted and the last good one are not counted.
func (r *Reconciler) forget(ctx context.Context, o observed) error {
	for _, old := range o.beyondLimit() {
		uid := old.UID
		err := r.Client.Delete(ctx, &old, client.Preconditions{UID: &uid})
		if client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("delete revision %s: %w", old.Name, err)
		}
		apply.Count(kindRevision, apply.Unwanted)
	}
	return nil
}

func (o observed) beyondLimit() history {
	limit := int32(defaultHistoryLimit)
	if r := o.microservice.Spec.Rollout; r != nil && r.HistoryLimit != nil {
		limit = *r.HistoryLimit
	}
	keep := []string{o.wanted.Name, o.running.Name, o.rollout().LastGood()}
	old := slices.DeleteFunc(slices.Clone(o.history), func(r appsv1.ControllerRevision) bool { return slices.Contains(keep, r.Name) })
	slices.SortFunc(old, func(a, b appsv1.ControllerRevision) int {
		return cmp.Or(cmp.Compare(b.Revision, a.Revision), cmp.Compare(a.Name, b.Name))
	})
	return old[min(int(limit), len(old)):]
}

// decide finds the revision that the slot is to run.
func (o *observed) decide() error {
	o.step = rollout.Next(o.rollout())
	o.running = o.wanted
	stored := o.history.find(o.step.Run)
	if stored == nil {
		return nil
	}
	var err error
	o.running, err = desired.ReadRevision(stored)
	return err
}

// stable is the last revision that has proven itself, or "".
func (o observed) stable() string {
	if running := o.history.find(o.running.Name); o.step.Good || running != nil && running.Annotations[annotationGood] != "" {
		return o.running.Name
	}
	return o.rollout().LastGood()
}

func (o observed) rollout() rollout.Observed {
	now := rollout.Observed{Wanted: o.wanted.Name, Known: o.history.revisions()}
	if r := o.microservice.Spec.Rollout; r != nil {
		now.Hold, now.Retry = r.Hold, r.Retry
	}
	now.Migration = o.migrationState()
	d := o.deployment
	if d == nil {
		return now
	}
	now.Applied = d.Annotations[desired.AnnotationRevision]
	if d.Status.ObservedGeneration < d.Generation {
		return now // its status speaks of another revision
	}
	progress := deploymentCondition(d, appsv1.DeploymentProgressing)
	now.Complete = progress != nil && progress.Reason == newReplicaSetAvailable && wantedReplicas(d) > 0 && d.Status.AvailableReplicas > 0
	now.Failure = failureOf(o)
	return now
}
