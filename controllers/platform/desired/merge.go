package desired

import (
	"encoding/json"
	"fmt"
	"slices"

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
	if defaults != nil {
		var err error
		base, err = lay(v1alpha1.WorkloadSpec{Env: defaults.Env, Rollout: defaults.Rollout}, base)
		if err != nil {
			return base, err
		}
	}
	return lay(own, base)
}

// lay puts the fields of top over those of base. Elements of a list that only
// top has come last: the first port takes the traffic, and a variable may
// refer to those before it.
func lay(top, base v1alpha1.WorkloadSpec) (v1alpha1.WorkloadSpec, error) {
	merged, err := patch(top, base)
	if err != nil {
		return base, err
	}
	keepOrder(merged.ImagePullSecrets, base.ImagePullSecrets, func(r v1alpha1.LocalReference) string { return r.Name })
	keepOrder(merged.Ports, base.Ports, func(p v1alpha1.Port) string { return p.Name })
	keepOrder(merged.Env, base.Env, func(v v1alpha1.EnvVar) string { return v.Name })
	keepOrder(merged.Volumes, base.Volumes, func(v v1alpha1.Volume) string { return v.Name })
	keepOrder(merged.VolumeMounts, base.VolumeMounts, func(v v1alpha1.VolumeMount) string { return v.MountPath })
	keepOrder(merged.InitContainers, base.InitContainers, func(c v1alpha1.InitContainer) string { return c.Name })
	keepOrder(merged.Calls, base.Calls, func(c v1alpha1.Call) string { return c.To })
	for _, v := range top.Env { // whole: a value and a valueFrom exclude each other
		i := slices.IndexFunc(merged.Env, func(m v1alpha1.EnvVar) bool { return m.Name == v.Name })
		merged.Env[i] = *v.DeepCopy()
	}
	return merged, nil
}

func patch(top, base v1alpha1.WorkloadSpec) (v1alpha1.WorkloadSpec, error) {
	original, err := json.Marshal(base)
	if err != nil {
		return base, fmt.Errorf("encode defaults: %w", err)
	}
	fields, err := json.Marshal(top)
	if err != nil {
		return base, fmt.Errorf("encode fields: %w", err)
	}
	merged, err := strategicpatch.StrategicMergePatch(original, fields, v1alpha1.WorkloadSpec{})
	if err != nil {
		return base, fmt.Errorf("merge fields: %w", err)
	}
	var result v1alpha1.WorkloadSpec
	if err := json.Unmarshal(merged, &result); err != nil {
		return base, fmt.Errorf("decode merged fields: %w", err)
	}
	return result, nil
}

// keepOrder moves the elements whose keys are in first to the front, in the
// order of first.
func keepOrder[T any](all, first []T, key func(T) string) {
	position := func(element T) int {
		i := slices.IndexFunc(first, func(f T) bool { return key(f) == key(element) })
		if i < 0 {
			return len(first)
		}
		return i
	}
	slices.SortStableFunc(all, func(a, b T) int { return position(a) - position(b) })
}
