// Package overlay lays fields over others by the rules of a strategic merge
// patch, and keeps lists in order.
package overlay

import (
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

// Lay puts the fields of a patch, which is JSON, over those of base.
func Lay[T any](patch []byte, base T) (T, error) {
	var result T
	original, err := json.Marshal(base)
	if err != nil {
		return base, fmt.Errorf("encode: %w", err)
	}
	merged, err := strategicpatch.StrategicMergePatch(original, patch, result)
	if err != nil {
		return base, fmt.Errorf("merge: %w", err)
	}
	if err := json.Unmarshal(merged, &result); err != nil {
		return base, fmt.Errorf("decode: %w", err)
	}
	return result, nil
}

// KeepOrder moves the elements whose keys are in first to the front, in the
// order of first: a merge puts those of the patch there.
func KeepOrder[T any](all, first []T, key func(T) string) {
	position := func(element T) int {
		i := slices.IndexFunc(first, func(f T) bool { return key(f) == key(element) })
		if i < 0 {
			return len(first)
		}
		return i
	}
	slices.SortStableFunc(all, func(a, b T) int { return position(a) - position(b) })
}
