package main

import (
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// maxDifferences bounds what a refusal lists.
const maxDifferences = 20

// templateDifferences are the fields of pods that would change.
func templateDifferences(before, after *unstructured.Unstructured) []string {
	was, _, _ := unstructured.NestedFieldNoCopy(before.Object, "spec", "template")
	is, _, _ := unstructured.NestedFieldNoCopy(after.Object, "spec", "template")
	var all []string
	differences("spec.template", was, is, &all)
	if more := len(all) - maxDifferences; more > 0 {
		all = append(all[:maxDifferences], fmt.Sprintf("and %d more", more))
	}
	return all
}

func differences(path string, was, is any, all *[]string) {
	if equality.Semantic.DeepEqual(was, is) {
		return
	}
	wasMap, ok := was.(map[string]any)
	isMap, alsoOK := is.(map[string]any)
	if ok && alsoOK {
		keys := map[string]bool{}
		for key := range wasMap {
			keys[key] = true
		}
		for key := range isMap {
			keys[key] = true
		}
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			differences(path+"."+key, wasMap[key], isMap[key], all)
		}
		return
	}
	wasList, ok := was.([]any)
	isList, alsoOK := is.([]any)
	if ok && alsoOK && len(wasList) == len(isList) {
		for i := range wasList {
			differences(fmt.Sprintf("%s[%d]", path, i), wasList[i], isList[i], all)
		}
		return
	}
	*all = append(*all, fmt.Sprintf("%s: %s becomes %s", path, brief(was), brief(is)))
}

func brief(value any) string {
	const enough = 80
	text := fmt.Sprint(value)
	if value == nil {
		text = "nothing"
	}
	if len(text) > enough {
		return text[:enough] + "..."
	}
	return text
}
