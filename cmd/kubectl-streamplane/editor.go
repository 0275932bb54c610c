package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// The fields of a service that this program sets.
const (
	pausedField    = "paused"
	managedByField = "managedBy"
)

// values are the only ones that this program gives to its fields.
func values() map[string]any {
	return map[string]any{pausedField: true, managedByField: string(v1alpha1.ManagedByTeam)}
}

// editor sets single fields of what people wrote, by server-side apply, and
// leaves all others alone.
type editor struct {
	cluster client.Client
	force   bool
}

// at is the object that has a field of a service, and where in it.
func (f found) at(field string) (client.Object, string) {
	if f.isTeams() {
		return f.microservice, fmt.Sprintf("microservice %s: spec.%s", f.microservice.Name, field)
	}
	return f.platform, fmt.Sprintf("streamingplatform %s: spec.services[name=%s].%s", f.platform.Name, f.name, field)
}

// put sets a field and returns where.
func (e editor) put(ctx context.Context, f found, field string) (string, error) {
	object, where := f.at(field)
	mine := fieldsOf(object, isMine)
	entry := f.entry()
	if mine[entry] == nil {
		mine[entry] = map[string]bool{}
	}
	mine[entry][field] = true
	return where, e.apply(ctx, object, where, mine)
}

// drop takes a field away. It stays when others set it, too.
func (e editor) drop(ctx context.Context, f found, field string) (string, error) {
	object, where := f.at(field)
	mine := fieldsOf(object, isMine)
	entry := f.entry()
	if mine[entry][field] {
		delete(mine[entry], field)
		if err := e.apply(ctx, object, where, mine); err != nil {
			return where, err
		}
	}
	for _, m := range object.GetManagedFields() {
		others := fieldsOf(object, func(e metav1.ManagedFieldsEntry) bool { return e.Manager == m.Manager && !isMine(e) })
		if others[entry][field] {
			return where, fmt.Errorf("%s: %s has set it: remove it there", where, m.Manager)
		}
	}
	return where, nil
}

// entry is the name of a service inside the object that has its fields.
func (f found) entry() string {
	if f.isTeams() {
		return ""
	}
	return f.name
}

// apply sends all that this program owns: what it no longer names goes.
func (e editor) apply(ctx context.Context, object client.Object, where string, mine map[string]map[string]bool) error {
	gvk, err := e.cluster.GroupVersionKindFor(object)
	if err != nil {
		return fmt.Errorf("find kind: %w", err)
	}
	intent := &unstructured.Unstructured{Object: map[string]any{"spec": specOf(mine)}}
	intent.SetGroupVersionKind(gvk)
	intent.SetNamespace(object.GetNamespace())
	intent.SetName(object.GetName())
	intent.SetUID(object.GetUID()) // never makes a new one
	options := []client.ApplyOption{client.FieldOwner(fieldManager)}
	if e.force {
		options = append(options, client.ForceOwnership)
	}
	err = e.cluster.Apply(ctx, client.ApplyConfigurationFromUnstructured(intent), options...)
	if apierrors.IsConflict(err) {
		return fmt.Errorf("%s: others set it: change it there, or use --force-conflicts: %w", where, err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	return e.cluster.Get(ctx, client.ObjectKeyFromObject(object), object)
}

// specOf is what this program says of services; "" is a Microservice itself.
func specOf(mine map[string]map[string]bool) map[string]any {
	spec, services := map[string]any{}, []any{}
	for _, name := range slices.Sorted(maps.Keys(mine)) {
		entry := map[string]any{}
		for field, value := range values() {
			if mine[name][field] {
				entry[field] = value
			}
		}
		switch {
		case len(entry) == 0:
		case name == "":
			spec = entry
		default:
			entry["name"] = name
			services = append(services, entry)
		}
	}
	if len(services) > 0 {
		spec["services"] = services
	}
	return spec
}

func isMine(e metav1.ManagedFieldsEntry) bool {
	return e.Manager == fieldManager && e.Operation == metav1.ManagedFieldsOperationApply
}

// fieldsOf are those of this program's fields that some managers own, by service.
func fieldsOf(object client.Object, by func(metav1.ManagedFieldsEntry) bool) map[string]map[string]bool {
	all := map[string]map[string]bool{}
	for _, e := range object.GetManagedFields() {
		var fields struct {
			Spec map[string]json.RawMessage `json:"f:spec"`
		}
		if e.FieldsV1 == nil || !by(e) || json.Unmarshal(e.FieldsV1.GetRawBytes(), &fields) != nil {
			continue
		}
		note(all, "", fields.Spec)
		services := map[string]map[string]json.RawMessage{}
		_ = json.Unmarshal(fields.Spec["f:services"], &services) // none leaves it empty
		for key, entry := range services {
			var id struct{ Name string }
			if text, ok := strings.CutPrefix(key, "k:"); ok && json.Unmarshal([]byte(text), &id) == nil {
				note(all, id.Name, entry)
			}
		}
	}
	return all
}

func note(all map[string]map[string]bool, name string, fields map[string]json.RawMessage) {
	for field := range values() {
		if _, ok := fields["f:"+field]; !ok {
			continue
		}
		if all[name] == nil {
			all[name] = map[string]bool{}
		}
		all[name][field] = true
	}
}
