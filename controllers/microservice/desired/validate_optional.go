package desired

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

func monitorLabels(spec v1alpha1.WorkloadSpec) string {
	if spec.Metrics == nil {
		return ""
	}
	for _, key := range slices.Sorted(maps.Keys(spec.Metrics.Labels)) {
		if strings.HasPrefix(key, ownPrefix) || strings.HasPrefix(key, appPrefix) {
			return fmt.Sprintf("metrics.labels[%s]: the operator sets it itself: remove it", key)
		}
		if wrong := validation.IsQualifiedName(key); len(wrong) > 0 {
			return fmt.Sprintf("metrics.labels[%s]: %s", key, wrong[0])
		}
	}
	return ""
}
