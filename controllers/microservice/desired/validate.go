package desired

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// a rule returns the field that breaks it, and the fix, or "".
type rule func(v1alpha1.WorkloadSpec) string

// Validate checks the specification of a service against all rules, also those
// that the API server can check on the parts of a merged specification only. It
// returns "" or the first field that breaks a rule, and the fix.
func Validate(spec v1alpha1.WorkloadSpec) string {
	for _, broken := range []rule{needsImage, oneScale, ordered, cpuRequest, mountsExist} {
		if problem := broken(spec); problem != "" {
			return problem
		}
	}
	return ""
}

func needsImage(spec v1alpha1.WorkloadSpec) string {
	if spec.Image == "" {
		return "image: required, because the service is not a bundled one of this release"
	}
	return ""
}

func oneScale(spec v1alpha1.WorkloadSpec) string {
	if spec.Replicas != nil && spec.Autoscaling != nil {
		return "replicas: mutually exclusive with autoscaling: remove one of them"
	}
	return ""
}

func ordered(spec v1alpha1.WorkloadSpec) string {
	if a := spec.Autoscaling; a != nil && a.MinReplicas > a.MaxReplicas {
		return fmt.Sprintf("autoscaling.minReplicas: %d exceeds maxReplicas %d", a.MinReplicas, a.MaxReplicas)
	}
	return ""
}

// cpuRequest matters because utilization is a share of the request.
func cpuRequest(spec v1alpha1.WorkloadSpec) string {
	if spec.Autoscaling == nil {
		return ""
	}
	if spec.Resources != nil {
		_, requested := spec.Resources.Requests[corev1.ResourceCPU]
		_, limited := spec.Resources.Limits[corev1.ResourceCPU]
		if requested || limited {
			return ""
		}
	}
	return "resources.requests.cpu: required by autoscaling on cpu"
}

func mountsExist(spec v1alpha1.WorkloadSpec) string {
	mounts := slices.Clone(spec.VolumeMounts)
	for _, i := range spec.InitContainers {
		mounts = append(mounts, i.VolumeMounts...)
	}
	for _, m := range mounts {
		if !slices.ContainsFunc(spec.Volumes, func(v v1alpha1.Volume) bool { return v.Name == m.Name }) {
			return fmt.Sprintf("volumeMounts[%s]: there is no volume %q: add it to volumes", m.MountPath, m.Name)
		}
	}
	return ""
}
