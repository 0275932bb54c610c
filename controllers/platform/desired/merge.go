package desired

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/util/strategicpatch"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// merge lays the platform's defaults and then the service's own fields over
// what the operator brings. Lists with a key, such as env, are merged by it;
// other lists are replaced.
func merge(
	base v1alpha1.WorkloadSpec, defaults *v1alpha1.ServiceDefaults, own v1alpha1.WorkloadSpec,
) (v1alpha1.WorkloadSpec, error) {
	if own.Replicas != nil {
		base.Autoscaling = nil
	}
	merged, err := json.Marshal(base)
	if err != nil {
		return base, fmt.Errorf("encode defaults: %w", err)
	}
	layers := []any{own}
	if defaults != nil {
		layers = []any{*defaults, own}
	}
	for _, layer := range layers {
		patch, err := json.Marshal(layer)
		if err != nil {
			return base, fmt.Errorf("encode fields: %w", err)
		}
		merged, err = strategicpatch.StrategicMergePatch(merged, patch, v1alpha1.WorkloadSpec{})
		if err != nil {
			return base, fmt.Errorf("merge fields: %w", err)
		}
	}
	var result v1alpha1.WorkloadSpec
	if err := json.Unmarshal(merged, &result); err != nil {
		return base, fmt.Errorf("decode merged fields: %w", err)
	}
	return result, nil
}
