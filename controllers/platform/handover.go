package platform

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/apply"
	"github.com/streamplane/streamplane/controllers/membership"
	microservice "github.com/streamplane/streamplane/controllers/microservice/desired"
	"github.com/streamplane/streamplane/controllers/platform/desired"
)

const (
	// AnnotationHandedOver names the platform that handed a Microservice over.
	AnnotationHandedOver = desired.AnnotationHandedOver

	// handOverManager writes what a hand-over changes, and no field of a
	// specification.
	handOverManager = "streamplane-hand-over"
)

// A passing is a Microservice that goes from one writer to the other.
type passing struct {
	before, after *v1alpha1.Microservice
	reason, note  string
}

// passings are the hand-overs that are due. Only metadata changes by them, so
// that no generation rises and no pod notices.
func passings(o observed) []passing {
	var all []passing
	for _, h := range o.wanted.HandedOver {
		if m, ours := o.microservices[h.Microservice]; ours && m.DeletionTimestamp.IsZero() {
			all = append(all, passing{&m, released(&m, o.platform), v1alpha1.ReasonHandedOver, fmt.Sprintf(
				"Microservice %s is its team's: the platform no longer writes it", m.Name)})
		}
	}
	for _, s := range o.wanted.Services {
		i := slices.IndexFunc(o.sharing, func(m v1alpha1.Microservice) bool { return m.Name == s.Microservice.Name })
		if s.Problem == "" && i >= 0 && mayTake(o.platform, &o.sharing[i], s.Name) {
			m := o.sharing[i].DeepCopy()
			all = append(all, passing{m, taken(m, o.platform), v1alpha1.ReasonTakenBack, fmt.Sprintf(
				"Microservice %s is written by the platform again", m.Name)})
		}
		if m, ours := o.microservices[s.Microservice.Name]; s.Problem == "" && ours && leavesExternal(&m, s.Microservice) {
			all = append(all, passing{m.DeepCopy(), reclaimed(m.DeepCopy()), v1alpha1.ReasonTakenBack, fmt.Sprintf(
				"Microservice %s gets its number of pods from the platform again", m.Name)})
		}
	}
	return all
}

// mayTake says whether the Microservice of a listed service was handed over by
// this platform, and still says so.
func mayTake(p *v1alpha1.StreamingPlatform, m *v1alpha1.Microservice, service string) bool {
	return metav1.GetControllerOf(m) == nil && m.Annotations[AnnotationHandedOver] == p.Name && microservice.ServiceName(m) == service
}

// released is a Microservice as its team gets it: without the platform's
// ownership of the object and of its fields, whose values stay. Only the routes
// of a gateway remain the platform's.
func released(m *v1alpha1.Microservice, p *v1alpha1.StreamingPlatform) *v1alpha1.Microservice {
	m = m.DeepCopy()
	m.OwnerReferences = slices.DeleteFunc(m.OwnerReferences, func(r metav1.OwnerReference) bool { return r.UID == p.UID })
	routes := leftRoutes(m)
	m.ManagedFields = slices.DeleteFunc(m.ManagedFields, func(e metav1.ManagedFieldsEntry) bool {
		return isOurs(e) || e.Manager == apply.ScaleManager
	})
	// The API server takes an empty list for none given.
	m.ManagedFields = append(append(m.ManagedFields, routes...), metav1.ManagedFieldsEntry{
		Manager: handOverManager, Operation: metav1.ManagedFieldsOperationUpdate,
		APIVersion: v1alpha1.GroupVersion.String(), FieldsType: "FieldsV1",
		FieldsV1: metav1.NewFieldsV1(`{"f:metadata":{"f:annotations":{"f:` + AnnotationHandedOver + `":{}}}}`),
	})
	delete(m.Annotations, apply.HashAnnotation)
	delete(m.Labels, microservice.LabelManagedBy)
	delete(m.Labels, microservice.LabelVersion)
	if m.Annotations == nil {
		m.Annotations = map[string]string{}
	}
	m.Annotations[AnnotationHandedOver] = p.Name
	return m
}

// taken is a Microservice as the platform takes it back. All fields of its
// specification become the platform's, so that the next apply removes those
// that the platform does not want.
func taken(m *v1alpha1.Microservice, p *v1alpha1.StreamingPlatform) *v1alpha1.Microservice {
	m = m.DeepCopy()
	delete(m.Annotations, AnnotationHandedOver)
	m.OwnerReferences = append(m.OwnerReferences, *metav1.NewControllerRef(p, v1alpha1.GroupVersion.WithKind("StreamingPlatform")))
	m.OwnerReferences[len(m.OwnerReferences)-1].BlockOwnerDeletion = new(false) // true needs a right on the owner
	return reclaimed(m)
}

// leavesExternal says whether others set a number of pods that the platform no
// longer wants, and that its apply would leave there.
func leavesExternal(live, wanted *v1alpha1.Microservice) bool {
	if wanted.Spec.Replicas != nil || microservice.ScaledElsewhere(wanted) {
		return false
	}
	seeded := slices.Contains(apply.Owners(live, apply.ReplicasField), apply.ScaleManager)
	return seeded || microservice.ScaledElsewhere(live) && desired.OthersScale(live)
}

// reclaimed is a Microservice all of whose fields are the platform's.
func reclaimed(m *v1alpha1.Microservice) *v1alpha1.Microservice {
	delete(m.Annotations, apply.HashAnnotation) // it must be applied again
	spec := map[string]any{}
	var entries []metav1.ManagedFieldsEntry
	for _, e := range m.ManagedFields {
		fields := map[string]any{}
		if e.FieldsV1 == nil || json.Unmarshal(e.FieldsV1.GetRawBytes(), &fields) != nil {
			continue
		}
		if of, ok := fields["f:spec"].(map[string]any); ok {
			join(spec, of)
			delete(fields, "f:spec")
		}
		if len(fields) > 0 && !isOurs(e) {
			e.FieldsV1 = encoded(fields)
			entries = append(entries, e)
		}
	}
	m.ManagedFields = append(entries, metav1.ManagedFieldsEntry{
		Manager: apply.FieldManager, Operation: metav1.ManagedFieldsOperationApply,
		APIVersion: v1alpha1.GroupVersion.String(), FieldsType: "FieldsV1",
		FieldsV1: encoded(map[string]any{"f:spec": spec}),
	})
	return m
}

func isOurs(e metav1.ManagedFieldsEntry) bool {
	return e.Manager == apply.FieldManager && e.Operation == metav1.ManagedFieldsOperationApply
}

// join adds the fields of one set to another.
func join(to, from map[string]any) {
	for name, child := range from {
		below, _ := child.(map[string]any)
		there, ok := to[name].(map[string]any)
		if !ok {
			there = map[string]any{}
			to[name] = there
		}
		join(there, below)
	}
}

func encoded(fields map[string]any) *metav1.FieldsV1 {
	data, _ := json.Marshal(fields) // maps of maps
	return metav1.NewFieldsV1(string(data))
}

// pass writes the hand-overs that are due and returns how many there were: the
// cache must show them before anything is applied.
func (r *Reconciler) pass(ctx context.Context, o observed) (int, error) {
	all := passings(o)
	for _, p := range all {
		patch := client.MergeFromWithOptions(p.before, client.MergeFromWithOptimisticLock{})
		err := r.Client.Patch(ctx, p.after, patch, client.FieldOwner(handOverManager))
		if apierrors.IsConflict(err) {
			continue // the cache lags: what changed it brings the next reconcile
		}
		if err != nil {
			return len(all), fmt.Errorf("%s: hand over microservice %s: %w", p.reason, p.before.Name, err)
		}
		apply.Count("Microservice", apply.Passed)
		r.Events.Eventf(o.platform, p.after, corev1.EventTypeNormal, p.reason, "HandOver", "%s", p.note)
	}
	return len(all), nil
}

// writtenByTeam says whether a Microservice is one of a team, or about to be.
func writtenByTeam(p *v1alpha1.StreamingPlatform, m *v1alpha1.Microservice) bool {
	return membership.IsTeams(m) || slices.ContainsFunc(p.Spec.Services, func(s v1alpha1.PlatformService) bool {
		return s.ManagedBy == v1alpha1.ManagedByTeam && s.Name == microservice.ServiceName(m) && metav1.IsControlledBy(m, p)
	})
}
