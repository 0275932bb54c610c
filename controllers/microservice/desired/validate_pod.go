package desired

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

const (
	maxFileBytes  = 512 << 10 // a ConfigMap holds 1 MiB
	maxPatchBytes = 32 << 10
)

func oneSource(spec v1alpha1.WorkloadSpec) string {
	for _, v := range spec.Volumes {
		switch {
		case v.Name == filesVolumeName:
			return fmt.Sprintf("volumes[%s]: the name of the volume of files: choose another", v.Name)
		case v.Sources() != 1:
			return fmt.Sprintf("volumes[%s]: set exactly one of emptyDir, configMap, secret, persistentVolumeClaim and ephemeral", v.Name)
		}
	}
	return ""
}

func mountsExist(spec v1alpha1.WorkloadSpec) string {
	mounts := slices.Clone(spec.VolumeMounts)
	for _, i := range spec.InitContainers {
		mounts = append(mounts, i.VolumeMounts...)
	}
	for _, s := range spec.Sidecars {
		mounts = append(mounts, s.VolumeMounts...)
	}
	for _, m := range mounts {
		if !slices.ContainsFunc(spec.Volumes, func(v v1alpha1.Volume) bool { return v.Name == m.Name }) &&
			!slices.ContainsFunc(spec.Storage, func(s v1alpha1.Storage) bool { return s.Name == m.Name }) {
			return fmt.Sprintf("volumeMounts[%s]: there is no volume %q: add it to volumes", m.MountPath, m.Name)
		}
	}
	return ""
}

func filesFit(spec v1alpha1.WorkloadSpec) string {
	size := 0
	for _, f := range spec.Files {
		size += len(f.Content)
		if f.MountPath == tmpPath || slices.ContainsFunc(spec.VolumeMounts, func(v v1alpha1.VolumeMount) bool { return v.MountPath == f.MountPath }) {
			return fmt.Sprintf("files[%s]: a volume has that mountPath: change one of them", f.MountPath)
		}
	}
	if size > maxFileBytes {
		return fmt.Sprintf("files: %d bytes together, more than %d: bring them with the image or a volume", size, maxFileBytes)
	}
	return ""
}

func namesDiffer(spec v1alpha1.WorkloadSpec) string {
	taken := map[string]string{MainContainer: "the main container"}
	for _, i := range spec.InitContainers {
		if owner, found := taken[i.Name]; found {
			return fmt.Sprintf("initContainers[%s]: the name of %s: choose another", i.Name, owner)
		}
		taken[i.Name] = "an init container"
	}
	for _, s := range spec.Sidecars {
		if owner, found := taken[s.Name]; found {
			return fmt.Sprintf("sidecars[%s]: the name of %s: choose another", s.Name, owner)
		}
	}
	return ""
}

func envFromOne(spec v1alpha1.WorkloadSpec) string {
	for i, s := range spec.EnvFrom {
		if (s.SecretRef == nil) == (s.ConfigMapRef == nil) {
			return fmt.Sprintf("envFrom[%d]: set exactly one of secretRef and configMapRef", i)
		}
	}
	return ""
}

func podMetadata(spec v1alpha1.WorkloadSpec) string {
	for _, key := range slices.Sorted(maps.Keys(spec.PodLabels)) {
		if ownLabel(key) {
			return fmt.Sprintf("podLabels[%s]: the operator sets it itself: remove it", key)
		}
		if wrong := validation.IsQualifiedName(key); len(wrong) > 0 {
			return fmt.Sprintf("podLabels[%s]: %s", key, wrong[0])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(spec.PodAnnotations)) {
		if strings.HasPrefix(key, ownPrefix) {
			return fmt.Sprintf("podAnnotations[%s]: belongs to the operator: remove it", key)
		}
		if wrong := validation.IsQualifiedName(strings.ToLower(key)); len(wrong) > 0 {
			return fmt.Sprintf("podAnnotations[%s]: %s", key, wrong[0])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(spec.NodeSelector)) {
		if wrong := validation.IsQualifiedName(key); len(wrong) > 0 {
			return fmt.Sprintf("nodeSelector[%s]: %s", key, wrong[0])
		}
	}
	return ""
}

// patchBounds refuses null, which would be lost on the way: server-side apply
// knows no way to send it.
func patchBounds(spec v1alpha1.WorkloadSpec) string {
	if spec.PodTemplate == nil {
		return ""
	}
	raw := spec.PodTemplate.Raw
	if len(raw) > maxPatchBytes {
		return fmt.Sprintf("podTemplate: %d bytes of JSON, more than %d", len(raw), maxPatchBytes)
	}
	var patch map[string]any
	if err := json.Unmarshal(raw, &patch); err != nil {
		return "podTemplate: must be an object"
	}
	return findBelow(patch, "podTemplate", null)
}

func null(value any, path string) string {
	if value != nil {
		return ""
	}
	return path + ": null removes nothing: use {$patch: delete}"
}
