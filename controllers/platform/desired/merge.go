package desired

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/overlay"
)

// merge lays the platform's defaults and then the service's own fields over
// what the operator brings; what a bundled service knows better goes before the
// defaults. Lists with a key, such as env, are merged by it; other lists are
// replaced.
func merge(
	base v1alpha1.WorkloadSpec, defaults *v1alpha1.ServiceDefaults, own v1alpha1.WorkloadSpec,
) (v1alpha1.WorkloadSpec, error) {
	if own.Replicas != nil {
		base.Autoscaling = nil // also when own autoscaling is External, which needs replicas
	}
	if defaults != nil {
		known := v1alpha1.WorkloadSpec{
			Resources: base.Resources, TerminationGracePeriodSeconds: base.TerminationGracePeriodSeconds,
		}
		for _, top := range []v1alpha1.WorkloadSpec{fields(*defaults, own), known} {
			var err error
			if base, err = lay(top, base); err != nil {
				return base, err
			}
		}
	}
	return lay(own, base)
}

// fields are the defaults as the fields of a service. One that may have one pod
// only cannot have what speaks of a second.
func fields(d v1alpha1.ServiceDefaults, own v1alpha1.WorkloadSpec) v1alpha1.WorkloadSpec {
	single := slices.ContainsFunc(own.Storage, func(s v1alpha1.Storage) bool { return s.Kind == v1alpha1.StorageSingle })
	if single && d.Rollout != nil {
		d.Rollout = &v1alpha1.Rollout{ProgressDeadlineSeconds: d.Rollout.ProgressDeadlineSeconds}
	}
	return v1alpha1.WorkloadSpec{
		Env:                           d.Env,
		EnvFrom:                       d.EnvFrom,
		Resources:                     d.Resources,
		Rollout:                       d.Rollout,
		TerminationGracePeriodSeconds: d.TerminationGracePeriodSeconds,
		NodeSelector:                  d.NodeSelector,
		Tolerations:                   d.Tolerations,
		TopologySpread:                d.TopologySpread,
		PriorityClassName:             d.PriorityClassName,
		Disruption:                    d.Disruption,
		PodLabels:                     d.PodLabels,
		PodAnnotations:                d.PodAnnotations,
		Metrics:                       d.Metrics,
	}
}

// lay puts the fields of top over those of base. Elements of a list that only
// top has come last: the first port takes the traffic, and a variable may
// refer to those before it.
func lay(top, base v1alpha1.WorkloadSpec) (v1alpha1.WorkloadSpec, error) {
	podTemplate := cmp.Or(top.PodTemplate, base.PodTemplate) // a patch itself, whose directives are not for us
	top.PodTemplate, base.PodTemplate = nil, nil
	fields, err := json.Marshal(top)
	if err != nil {
		return base, fmt.Errorf("encode fields: %w", err)
	}
	merged, err := overlay.Lay(fields, base)
	if err != nil {
		return base, fmt.Errorf("merge fields: %w", err)
	}
	merged.PodTemplate = podTemplate.DeepCopy()
	overlay.KeepOrder(merged.ImagePullSecrets, base.ImagePullSecrets, func(r v1alpha1.LocalReference) string { return r.Name })
	overlay.KeepOrder(merged.Ports, base.Ports, func(p v1alpha1.Port) string { return p.Name })
	overlay.KeepOrder(merged.Volumes, base.Volumes, volumeName)
	overlay.KeepOrder(merged.Files, base.Files, func(f v1alpha1.File) string { return f.MountPath })
	overlay.KeepOrder(merged.InitContainers, base.InitContainers, func(c v1alpha1.InitContainer) string { return c.Name })
	overlay.KeepOrder(merged.Sidecars, base.Sidecars, func(c v1alpha1.Sidecar) string { return c.Name })
	overlay.KeepOrder(merged.Calls, base.Calls, func(c v1alpha1.Call) string { return c.To })
	keepContainer(mainLists(&merged), mainLists(&top), mainLists(&base))
	for i := range merged.InitContainers {
		c := &merged.InitContainers[i]
		keepContainer(listsOf(c), listsOf(named(top.InitContainers, c.Name)), listsOf(named(base.InitContainers, c.Name)))
	}
	for i := range merged.Sidecars {
		c := &merged.Sidecars[i].InitContainer
		keepContainer(listsOf(c), listsOf(named(bare(top.Sidecars), c.Name)), listsOf(named(bare(base.Sidecars), c.Name)))
	}
	for _, v := range top.Volumes {
		i := slices.IndexFunc(merged.Volumes, func(m v1alpha1.Volume) bool { return m.Name == v.Name })
		if merged.Volumes[i].Sources() > 1 { // another kind of source takes the place of the first
			merged.Volumes[i] = *v.DeepCopy()
		}
	}
	return merged, nil
}

// lists are those of a container that are merged by key.
type lists struct {
	env    []v1alpha1.EnvVar
	mounts []v1alpha1.VolumeMount
}

func mainLists(s *v1alpha1.WorkloadSpec) lists { return lists{s.Env, s.VolumeMounts} }

func listsOf(c *v1alpha1.InitContainer) lists {
	if c == nil {
		return lists{}
	}
	return lists{c.Env, c.VolumeMounts}
}

// keepContainer puts the merged lists in order, and takes variables of top
// whole: a value and a valueFrom exclude each other.
func keepContainer(merged, top, base lists) {
	overlay.KeepOrder(merged.env, base.env, func(v v1alpha1.EnvVar) string { return v.Name })
	overlay.KeepOrder(merged.mounts, base.mounts, func(v v1alpha1.VolumeMount) string { return v.MountPath })
	for _, v := range top.env {
		i := slices.IndexFunc(merged.env, func(m v1alpha1.EnvVar) bool { return m.Name == v.Name })
		merged.env[i] = *v.DeepCopy()
	}
}

func named(all []v1alpha1.InitContainer, name string) *v1alpha1.InitContainer {
	for i := range all {
		if all[i].Name == name {
			return &all[i]
		}
	}
	return nil
}

func bare(sidecars []v1alpha1.Sidecar) []v1alpha1.InitContainer {
	all := make([]v1alpha1.InitContainer, len(sidecars))
	for i, s := range sidecars {
		all[i] = s.InitContainer
	}
	return all
}

func volumeName(v v1alpha1.Volume) string { return v.Name }
