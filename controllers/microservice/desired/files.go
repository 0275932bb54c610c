package desired

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// filesVolumeName is the name of the volume of spec.files.
const filesVolumeName = "streamplane-files"

// files holds the content of spec.files. Its name carries the hash of the
// content: new content rolls the pods, and those of an older revision that
// start or restart meanwhile still find what they were made for. Nothing ever
// changes in it.
func files(m *v1alpha1.Microservice) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: objectMeta(m, filesName(m)),
		Immutable:  new(true),
		Data:       filesData(m),
	}
}

// FilesInUse is the name of the ConfigMap that pods of a template have their
// files from, or "".
func FilesInUse(template corev1.PodTemplateSpec) string {
	for _, v := range template.Spec.Volumes {
		if v.Name == filesVolumeName && v.ConfigMap != nil {
			return v.ConfigMap.Name
		}
	}
	return ""
}

func filesName(m *v1alpha1.Microservice) string {
	hash := sha256.New()
	for i, f := range m.Spec.Files {
		fmt.Fprintf(hash, "%s %d ", fileKey(i, f), len(f.Content))
		hash.Write([]byte(f.Content))
	}
	return Name(m.Name, "files", hex.EncodeToString(hash.Sum(nil))[:nameHashLength])
}

func filesData(m *v1alpha1.Microservice) map[string]string {
	data := map[string]string{}
	for i, f := range m.Spec.Files {
		data[fileKey(i, f)] = f.Content
	}
	return data
}

// fileKey is unique although two files may have one name in different folders.
func fileKey(i int, f v1alpha1.File) string { return fmt.Sprintf("%d-%s", i, path.Base(f.MountPath)) }

func filesVolume(m *v1alpha1.Microservice) corev1.Volume {
	return corev1.Volume{Name: filesVolumeName, VolumeSource: corev1.VolumeSource{
		ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: filesName(m)}},
	}}
}

// fileMounts place each file by itself, so that the rest of its folder stays.
func fileMounts(m *v1alpha1.Microservice) []corev1.VolumeMount {
	var all []corev1.VolumeMount
	for i, f := range m.Spec.Files {
		all = append(all, corev1.VolumeMount{
			Name: filesVolumeName, MountPath: f.MountPath, SubPath: fileKey(i, f), ReadOnly: true,
		})
	}
	return all
}
