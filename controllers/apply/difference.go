package apply

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// atomicMaps are the maps that the API treats as one value: an added key
// changes their meaning, so they must be equal and not merely contain ours.
var atomicMaps = []string{
	"labelSelector", "matchLabels", "namespaceSelector", "nodeSelector", "podSelector", "selector",
}

// listKeys are the fields by which the API tells the elements of a list apart,
// in the order in which they are tried: several mounts may have one name.
var listKeys = []string{"mountPath", "uid", "name", "to", "topologyKey"}

// difference names the first thing in which live is not what is intended, or
// returns "". Fields that only live has belong to others and do not count.
func difference(intent *unstructured.Unstructured, live client.Object) (string, error) {
	if live.GetAnnotations()[HashAnnotation] != intent.GetAnnotations()[HashAnnotation] {
		return wantedChanged, nil
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(live)
	if err != nil {
		return "", fmt.Errorf("convert %T: %w", live, err)
	}
	_, metadataOnly := live.(*metav1.PartialObjectMetadata)
	for _, field := range slices.Sorted(maps.Keys(intent.Object)) {
		if field == "apiVersion" || field == "kind" { // typed objects from a cache have none
			continue
		}
		if metadataOnly && field != "metadata" { // the cache will soon show the rest
			continue
		}
		if path := differs(intent.Object[field], content[field], field); path != "" {
			return path + " was changed by others", nil
		}
	}
	return "", nil
}

// differs returns the path of the first value that is wanted and not there.
func differs(wanted, live any, path string) string {
	switch wanted := wanted.(type) {
	case map[string]any:
		live, ok := live.(map[string]any)
		if !ok {
			if len(wanted) == 0 {
				return "" // an empty map means the same as none
			}
			return path
		}
		return mapDiffers(wanted, live, path)
	case []any:
		live, _ := live.([]any)
		return listDiffers(wanted, live, path)
	default:
		if !equality.Semantic.DeepEqual(wanted, live) {
			return path
		}
		return ""
	}
}

func mapDiffers(wanted, live map[string]any, path string) string {
	for _, field := range slices.Sorted(maps.Keys(wanted)) {
		child := path + "." + field
		if slices.Contains(atomicMaps, field) && !equality.Semantic.DeepEqual(wanted[field], live[field]) {
			return child
		}
		if at := differs(wanted[field], live[field], child); at != "" {
			return at
		}
	}
	return ""
}

func listDiffers(wanted, live []any, path string) string {
	field := listKey(wanted)
	if field == "" && len(wanted) != len(live) {
		return path
	}
	for i, element := range wanted {
		child := fmt.Sprintf("%s[%d]", path, i)
		var other any
		if field == "" {
			other = live[i]
		} else {
			other = elementWith(live, field, element.(map[string]any)[field])
		}
		if other == nil {
			return child
		}
		if at := differs(element, other, child); at != "" {
			return at
		}
	}
	return ""
}

// listKey is the field that every element of a list of maps has, or "" for a
// list whose order and length matter.
func listKey(list []any) string {
	for _, field := range listKeys {
		if len(list) > 0 && !slices.ContainsFunc(list, func(element any) bool {
			m, ok := element.(map[string]any)
			return !ok || m[field] == nil
		}) {
			return field
		}
	}
	return ""
}

func elementWith(list []any, field string, value any) any {
	for _, element := range list {
		if m, ok := element.(map[string]any); ok && equality.Semantic.DeepEqual(m[field], value) {
			return m
		}
	}
	return nil
}

// dropNil removes null fields: typed objects carry some that nobody set.
func dropNil(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for field, child := range value {
			if child == nil {
				delete(value, field)
				continue
			}
			value[field] = dropNil(child)
		}
	case []any:
		for i := range value {
			value[i] = dropNil(value[i])
		}
	}
	return value
}

func hashOf(content map[string]any) (string, error) {
	data, err := json.Marshal(content) // sorts map keys
	if err != nil {
		return "", fmt.Errorf("hash object: %w", err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8]), nil
}
