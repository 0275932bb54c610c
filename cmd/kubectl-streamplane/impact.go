package main

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// impact is what a change does to what runs.
type impact string

// The impacts, from the mildest on.
const (
	impactNone     impact = "none"
	impactMetadata impact = "metadata"  // labels and annotations of the object only
	impactUpdate   impact = "update"    // a specification that no pod depends on
	impactCreate   impact = "create"    // something new beside what runs
	impactScale    impact = "scale"     // the number of pods, or its bounds
	impactRoll     impact = "rolls"     // pods are replaced, a few at a time
	impactRecreate impact = "recreates" // the API server takes the change for a new object only
	impactDelete   impact = "deletes"
	impactRefuse   impact = "refused" // the API server would refuse it
)

// classify compares an object before and after.
func classify(before, after *unstructured.Unstructured) impact {
	was, is := content(before), content(after)
	if equality.Semantic.DeepEqual(was, is) {
		return impactNone
	}
	fields := changedFields(was, is)
	if slices.Equal(fields, []string{"metadata"}) {
		return impactMetadata
	}
	switch after.GetKind() {
	case "Deployment":
		return classifyDeployment(before, after)
	case "HorizontalPodAutoscaler":
		return impactScale
	default:
		return impactUpdate
	}
}

func classifyDeployment(before, after *unstructured.Unstructured) impact {
	if changed(before, after, "spec", "template") {
		return impactRoll
	}
	if changed(before, after, "spec", "replicas") {
		return impactScale
	}
	return impactUpdate
}

func changed(before, after *unstructured.Unstructured, path ...string) bool {
	was, _, _ := unstructured.NestedFieldNoCopy(before.Object, path...)
	is, _, _ := unstructured.NestedFieldNoCopy(after.Object, path...)
	return !equality.Semantic.DeepEqual(was, is)
}

// content is an object without what every write changes.
func content(o *unstructured.Unstructured) map[string]any {
	o = o.DeepCopy()
	for _, path := range [][]string{
		{"metadata", "managedFields"},
		{"metadata", "resourceVersion"},
		{"metadata", "generation"},
		{"status"},
	} {
		unstructured.RemoveNestedField(o.Object, path...)
	}
	return o.Object
}

func changedFields(was, is map[string]any) []string {
	all := map[string]bool{}
	for _, object := range []map[string]any{was, is} {
		for field := range object {
			if !equality.Semantic.DeepEqual(was[field], is[field]) {
				all[field] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}
