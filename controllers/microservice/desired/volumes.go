package desired

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

const (
	tmpVolume = "tmp"
	tmpPath   = "/tmp"
	tmpSize   = "64Mi"
)

// volumes always include a /tmp, because the root file system is read-only: a
// small one unless the spec has its own.
func volumes(m *v1alpha1.Microservice) []corev1.Volume {
	wanted := m.Spec.Volumes
	var all []corev1.Volume
	if !slices.ContainsFunc(wanted, func(v v1alpha1.Volume) bool { return v.Name == tmpVolume }) {
		all = append(all, corev1.Volume{Name: tmpVolume, VolumeSource: emptyDir(tmpSize)})
	}
	for _, v := range wanted {
		all = append(all, corev1.Volume{Name: v.Name, VolumeSource: volumeSource(v)})
	}
	for _, s := range m.Spec.Storage {
		all = append(all, storageVolume(m, s))
	}
	if len(m.Spec.Files) > 0 {
		all = append(all, filesVolume(m))
	}
	return all
}

func volumeSource(v v1alpha1.Volume) corev1.VolumeSource {
	switch {
	case v.ConfigMap != nil:
		return corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
			LocalObjectReference: corev1.LocalObjectReference{Name: v.ConfigMap.Name},
			Optional:             optional(v.ConfigMap),
		}}
	case v.Secret != nil:
		return corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
			SecretName: v.Secret.Name, Optional: optional(v.Secret),
		}}
	case v.PersistentVolumeClaim != nil:
		return corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{
			ClaimName: v.PersistentVolumeClaim.ClaimName, ReadOnly: v.PersistentVolumeClaim.ReadOnly,
		}}
	case v.Ephemeral != nil:
		return ephemeral(v.Ephemeral.Size, v.Ephemeral.StorageClassName)
	case v.EmptyDir != nil:
		return emptyDir(v.EmptyDir.SizeLimit)
	default:
		return corev1.VolumeSource{} // Validate refuses it
	}
}

func optional(v *v1alpha1.ObjectVolume) *bool {
	if !v.Optional {
		return nil
	}
	return new(true)
}

func ephemeral(size, class string) corev1.VolumeSource {
	return corev1.VolumeSource{Ephemeral: &corev1.EphemeralVolumeSource{
		VolumeClaimTemplate: &corev1.PersistentVolumeClaimTemplate{Spec: claimSpec(size, class)},
	}}
}

func emptyDir(sizeLimit string) corev1.VolumeSource {
	source := &corev1.EmptyDirVolumeSource{}
	if limit, err := resource.ParseQuantity(sizeLimit); err == nil {
		source.SizeLimit = &limit
	}
	return corev1.VolumeSource{EmptyDir: source}
}

func volumeMounts(wanted []v1alpha1.VolumeMount) []corev1.VolumeMount {
	var all []corev1.VolumeMount
	if !slices.ContainsFunc(wanted, func(v v1alpha1.VolumeMount) bool { return v.MountPath == tmpPath }) {
		all = append(all, corev1.VolumeMount{Name: tmpVolume, MountPath: tmpPath})
	}
	for _, v := range wanted {
		all = append(all, corev1.VolumeMount{Name: v.Name, MountPath: v.MountPath, ReadOnly: v.ReadOnly})
	}
	return all
}
