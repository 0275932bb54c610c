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
	"labelSelector", "matchLabels", "namespaceSelector", "nodeSelector", "podSelector", "podTemplate", "selector",
}

// listKeys are the fields by which the API tells the elements of a list apart,
// in the order in which they are tried: several mounts may have one name.
var listKeys = [][]string{{"mountPath"}, {"uid"}, {"name"}, {"to"}, {"topologyKey", "whenUnsatisfiable"}}

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
			return path + changedByOthers, nil
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
	key := listKey(wanted)
	if key == nil && len(wanted) != len(live) {
		return path
	}
	for i, element := range wanted {
		child := fmt.Sprintf("%s[%d]", path, i)
		var other any
		if key == nil {
			other = live[i]
		} else {
			other = like(live, element, key)
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

// listKey are the fields that every element of a list of maps has and that tell
// them all apart, or nil for a list whose order and length matter.
func listKey(list []any) []string {
	for _, key := range listKeys {
		if len(list) > 0 && keyed(list, key) {
			return key
		}
	}
	return nil
}

func keyed(list []any, key []string) bool {
	for i, element := range list {
		m, ok := element.(map[string]any)
		if !ok || slices.ContainsFunc(key, func(field string) bool { return m[field] == nil }) {
			return false
		}
		if like(list[:i], element, key) != nil {
			return false
		}
	}
	return true
}

// like is the element of a list that has the key of another, or nil.
func like(list []any, other any, key []string) any {
	for _, element := range list {
		if m, ok := element.(map[string]any); ok && sameKey(m, other.(map[string]any), key) {
			return m
		}
	}
	return nil
}

func sameKey(a, b map[string]any, key []string) bool {
	return !slices.ContainsFunc(key, func(field string) bool {
		return !equality.Semantic.DeepEqual(a[field], b[field])
	})
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
