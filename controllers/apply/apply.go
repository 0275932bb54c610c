// Package apply makes the cluster hold a list of objects: it applies what
// differs, server-side, and deletes what its owner no longer wants. It knows
// no kind.
package apply

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
)

// FieldManager owns every field that the operator applies.
const FieldManager = "streamplane"

// HashAnnotation holds the hash of what was last applied to an object. With it
// a field that is no longer wanted is noticed without asking the API server.
const HashAnnotation = "streamplane.dev/applied-hash"

// A ConflictError says that an object of a wanted name exists but was not made
// for the owner. Such an object is never touched.
type ConflictError struct {
	Kind string
	Name string
}

// Error names the object and the way out.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("%s %s exists and was not made for this resource: delete or rename it", e.Kind, e.Name)
}

// Syncer applies objects for their owners.
type Syncer struct {
	// Client reads from the cache and writes to the API server.
	Client client.Client
	// Live reads from the API server. It is asked only about an object that
	// the cache does not have, before that object's first apply.
	Live client.Reader
}

// Set is what an owner wants to exist.
type Set struct {
	// Owner is the controller of every object. It has its kind set.
	Owner client.Object
	// Kept outlive the owner: they get no owner reference and are never deleted.
	// They are applied first.
	Kept []client.Object
	// KeptBy are the labels by which an existing object is one of Kept, also
	// when an earlier owner of that name left it.
	KeptBy map[string]string
	// Objects are applied in this order. One with a resource version is written
	// only while it has that: what is wanted of it follows from what was seen.
	Objects []client.Object
	// Keep names objects that stay as they are although they are not in
	// Objects.
	Keep map[string]bool
	// Kinds are those that the owner may own; only these are pruned.
	Kinds []client.ObjectList
}

// Done is what a Sync did.
type Done struct {
	// Writes counts applies and deletes; 0 when the cache shows all as wanted.
	Writes int
	// Created are the wanted objects that did not exist.
	Created []client.Object
	// Edits of others are those that were set back.
	Edits []Edit
}

// TellsLater says that a generation of the owner has only just begun: what was
// made brings the next reconcile, which has more to tell.
func (d Done) TellsLater(err error, observed, generation int64) bool {
	return len(d.Created) > 0 && observed != generation && err == nil && len(d.Edits) == 0
}

// Sync applies the objects of a set and, when every apply succeeded, deletes
// the objects that the owner controls and no longer wants. It returns all
// errors, joined.
func (s Syncer) Sync(ctx context.Context, set Set) (Done, error) {
	wanted := map[string]bool{}
	var done Done
	var errs []error
	for _, object := range set.Kept {
		errs = append(errs, s.apply(ctx, set, nil, object, &done))
	}
	if err := errors.Join(errs...); err != nil {
		if _, taken := errors.AsType[*ConflictError](err); taken {
			return done, err // what follows would use what belongs to others
		}
	}
	for _, object := range set.Objects {
		wanted[key(object.GetObjectKind().GroupVersionKind(), object.GetName())] = true
		errs = append(errs, s.apply(ctx, set, set.Owner, object, &done))
	}
	if err := errors.Join(errs...); err != nil {
		return done, err // never prune after a failed apply
	}
	for _, list := range set.Kinds {
		n, err := s.prune(ctx, set, list, wanted)
		done.Writes += n
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// apply writes an object, of no owner when it is kept, when the cache shows that
// it differs.
func (s Syncer) apply(ctx context.Context, set Set, owner, object client.Object, done *Done) error {
	intent, err := s.intent(owner, object)
	if err != nil {
		return err
	}
	live, err := s.live(ctx, object)
	if err != nil {
		return err
	}
	reason := missing
	if live != nil {
		if err := MayTouch(live, intent, set.KeptBy); err != nil {
			return err
		}
		reason, err = difference(intent, live)
		if err != nil || reason == "" {
			return err
		}
		intent.SetUID(live.GetUID()) // fails rather than touch a namesake made meanwhile
		intent.SetResourceVersion(object.GetResourceVersion())
	}
	logf.FromContext(ctx).Info("Applying object", "kind", intent.GetKind(), "object", intent.GetName(), "reason", reason)
	applied := client.ApplyConfigurationFromUnstructured(intent)
	err = s.Client.Apply(ctx, applied, client.FieldOwner(FieldManager), client.ForceOwnership)
	if apierrors.IsConflict(err) && object.GetResourceVersion() != "" {
		done.Writes++ // the cache lags: what changed it brings the next reconcile
		return nil
	}
	if err != nil {
		return fmt.Errorf("apply %s %s: %w", intent.GetKind(), intent.GetName(), err)
	}
	done.Writes++
	Count(intent.GetKind(), classOf(reason))
	if live == nil {
		done.Created = append(done.Created, object)
	} else if edit := editOf(intent.GetKind(), live, reason); edit != nil {
		done.Edits = append(done.Edits, *edit)
	}
	return nil
}

// MayTouch refuses what the owner of the intent does not control, or without an
// owner what does not carry the labels. An object of a deleted namesake of the
// owner is on its way out, so that waiting helps.
func MayTouch(live, intent client.Object, keptBy map[string]string) error {
	wanted, has := metav1.GetControllerOf(intent), metav1.GetControllerOf(live)
	kind, name := intent.GetObjectKind().GroupVersionKind().Kind, intent.GetName()
	switch {
	case wanted == nil && has == nil && labels.SelectorFromSet(keptBy).Matches(labels.Set(live.GetLabels())):
		return nil
	case wanted == nil:
		return &ConflictError{Kind: kind, Name: name}
	case has != nil && has.UID == wanted.UID:
		return nil
	case has != nil && has.Kind == wanted.Kind && has.Name == wanted.Name && has.APIVersion == wanted.APIVersion:
		return fmt.Errorf("%s %s belongs to a deleted %s of the same name: waiting until it is gone", kind, name, has.Kind)
	default:
		return &ConflictError{Kind: kind, Name: name}
	}
}

// intent is what is sent to the API server: the content of an object, its owner
// and the hash of both.
func (s Syncer) intent(owner, object client.Object) (*unstructured.Unstructured, error) {
	if owner != nil {
		object = object.DeepCopyObject().(client.Object)
		object.SetResourceVersion("")
		// Without blocking, no permission on the owner's finalizers is needed.
		err := controllerutil.SetControllerReference(owner, object, s.Client.Scheme(), controllerutil.WithBlockOwnerDeletion(false))
		if err != nil {
			return nil, fmt.Errorf("set owner: %w", err)
		}
	}
	intent, err := Content(object)
	if err != nil {
		return nil, err
	}
	hash, err := hashOf(intent.Object)
	if err != nil {
		return nil, err
	}
	annotations := intent.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[HashAnnotation] = hash
	intent.SetAnnotations(annotations)
	return intent, nil
}

// Content is what is applied of an object, before it has an owner: only the
// fields that the operator has an opinion on.
func Content(object client.Object) (*unstructured.Unstructured, error) {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return nil, fmt.Errorf("convert %T: %w", object, err)
	}
	delete(content, "status")
	return &unstructured.Unstructured{Object: dropNil(content).(map[string]any)}, nil
}

// live returns the object as the cache has it, or else its metadata as the API
// server has it, or nil. The cache holds only objects that carry our label; one
// without it still must not be overwritten.
func (s Syncer) live(ctx context.Context, object client.Object) (client.Object, error) {
	gvk, err := apiutil.GVKForObject(object, s.Client.Scheme())
	if err != nil {
		return nil, fmt.Errorf("find kind: %w", err)
	}
	cached := object.DeepCopyObject().(client.Object)
	err = s.Client.Get(ctx, client.ObjectKeyFromObject(object), cached)
	if err == nil {
		return cached, nil
	}
	if !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("read %s %s: %w", gvk.Kind, object.GetName(), err)
	}
	meta := &metav1.PartialObjectMetadata{}
	meta.SetGroupVersionKind(gvk)
	err = s.Live.Get(ctx, client.ObjectKeyFromObject(object), meta)
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil //nolint:nilnil // absence is an answer, not an error
	case err != nil:
		return nil, fmt.Errorf("read %s %s: %w", gvk.Kind, object.GetName(), err)
	default:
		return meta, nil
	}
}

// prune deletes the objects of one kind that the owner controls and no longer
// wants.
func (s Syncer) prune(ctx context.Context, set Set, empty client.ObjectList, wanted map[string]bool) (int, error) {
	list := empty.DeepCopyObject().(client.ObjectList)
	err := s.Client.List(ctx, list, client.InNamespace(set.Owner.GetNamespace()),
		client.MatchingFields{OwnerIndex: string(set.Owner.GetUID())})
	if err != nil {
		return 0, fmt.Errorf("list %T: %w", empty, err)
	}
	writes := 0
	err = apimeta.EachListItem(list, func(item runtime.Object) error {
		object, ok := item.(client.Object)
		if !ok || !object.GetDeletionTimestamp().IsZero() || set.Keep[object.GetName()] {
			return nil
		}
		gvk, err := apiutil.GVKForObject(object, s.Client.Scheme())
		if err != nil {
			return fmt.Errorf("find kind: %w", err)
		}
		if wanted[key(gvk, object.GetName())] {
			return nil
		}
		writes++
		return s.remove(ctx, object, gvk.Kind)
	})
	return writes, err
}

// remove deletes exactly the object that was seen: not a namesake made
// meanwhile, and not one that changed hands.
func (s Syncer) remove(ctx context.Context, object client.Object, kind string) error {
	logf.FromContext(ctx).Info("Deleting object", "kind", kind, "object", object.GetName())
	uid, version := object.GetUID(), object.GetResourceVersion()
	err := s.Client.Delete(ctx, object,
		client.Preconditions{UID: &uid, ResourceVersion: &version},
		client.PropagationPolicy(metav1.DeletePropagationBackground))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("delete %s %s: %w", kind, object.GetName(), err)
	}
	Count(kind, Unwanted)
	return nil
}

func key(gvk schema.GroupVersionKind, name string) string {
	return gvk.GroupKind().String() + "/" + name
}
