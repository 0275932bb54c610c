package desired

import (
	"cmp"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// LabelStorage names the storage that a claim was made for.
const LabelStorage = ownPrefix + "storage"

// Claims are the PersistentVolumeClaims of a Microservice. They outlive it, so
// that they have no owner.
func Claims(m *v1alpha1.Microservice) []client.Object {
	var all []client.Object
	for _, s := range m.Spec.Storage {
		if s.Kind.Claimed() {
			all = append(all, claim(m, s))
		}
	}
	return all
}

// ClaimedBy are the labels of the claims of a Microservice, also of an earlier
// one of its name.
func ClaimedBy(m *v1alpha1.Microservice) map[string]string {
	return map[string]string{LabelManagedBy: ManagedBy, LabelInstance: m.Name}
}

func claim(m *v1alpha1.Microservice, s v1alpha1.Storage) *corev1.PersistentVolumeClaim {
	c := &corev1.PersistentVolumeClaim{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "PersistentVolumeClaim"},
		ObjectMeta: objectMeta(m, claimName(m, s)),
		Spec:       claimSpec(s.Size, s.StorageClassName),
	}
	c.Labels[LabelStorage] = s.Name
	c.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{accessMode(s.Kind)}
	return c
}

func claimName(m *v1alpha1.Microservice, s v1alpha1.Storage) string { return Name(m.Name, s.Name) }

func accessMode(kind v1alpha1.StorageKind) corev1.PersistentVolumeAccessMode {
	if kind == v1alpha1.StorageShared {
		return corev1.ReadWriteMany
	}
	return corev1.ReadWriteOnce
}

func claimSpec(size, class string) corev1.PersistentVolumeClaimSpec {
	spec := corev1.PersistentVolumeClaimSpec{AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}}
	if size, err := resource.ParseQuantity(size); err == nil {
		spec.Resources.Requests = corev1.ResourceList{corev1.ResourceStorage: size}
	}
	if class != "" {
		spec.StorageClassName = new(class)
	}
	return spec
}

// ClaimProblem is what the specification asks of a claim that exists and cannot
// be done: the field and the fix, or "".
func ClaimProblem(m *v1alpha1.Microservice, live *corev1.PersistentVolumeClaim) string {
	i := slices.IndexFunc(m.Spec.Storage, func(s v1alpha1.Storage) bool {
		return s.Kind.Claimed() && claimName(m, s) == live.Name
	})
	for key, value := range ClaimedBy(m) {
		if i < 0 || live.Labels[key] != value {
			return "" // not ours: the apply says so
		}
	}
	s := m.Spec.Storage[i]
	has := live.Spec.Resources.Requests[corev1.ResourceStorage]
	size, err := resource.ParseQuantity(s.Size)
	switch {
	case err != nil:
		return fmt.Sprintf("storage[%s].size: %s", s.Name, err)
	case size.Cmp(has) < 0:
		return fmt.Sprintf("storage[%s].size: %s is less than the %s of PersistentVolumeClaim %s, which cannot shrink: ask for %s or more",
			s.Name, s.Size, has.String(), live.Name, has.String())
	case !slices.Equal(live.Spec.AccessModes, []corev1.PersistentVolumeAccessMode{accessMode(s.Kind)}):
		return fmt.Sprintf("storage[%s].kind: PersistentVolumeClaim %s has access mode %s, which cannot change: give the storage another name",
			s.Name, live.Name, live.Spec.AccessModes)
	case s.StorageClassName != "" && live.Spec.StorageClassName != nil && *live.Spec.StorageClassName != s.StorageClassName:
		return fmt.Sprintf("storage[%s].storageClassName: PersistentVolumeClaim %s has class %s, which cannot change: give the storage another name",
			s.Name, live.Name, *live.Spec.StorageClassName)
	default:
		return ""
	}
}

// single says whether a storage allows one pod at a time.
func single(spec v1alpha1.WorkloadSpec) bool {
	return slices.ContainsFunc(spec.Storage, func(s v1alpha1.Storage) bool { return s.Kind == v1alpha1.StorageSingle })
}

func storageVolume(m *v1alpha1.Microservice, s v1alpha1.Storage) corev1.Volume {
	v := corev1.Volume{Name: s.Name}
	if s.Kind.Claimed() {
		v.PersistentVolumeClaim = &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claimName(m, s)}
		return v
	}
	v.VolumeSource = ephemeral(s.Size, s.StorageClassName)
	return v
}

// mounts of the main container.
func mounts(m *v1alpha1.Microservice) []v1alpha1.VolumeMount {
	all := slices.Clone(m.Spec.VolumeMounts)
	for _, s := range m.Spec.Storage {
		all = append(all, v1alpha1.VolumeMount{Name: s.Name, MountPath: s.MountPath})
	}
	return all
}

// ownershipChange does not walk through all files of a storage at each start of
// a pod. Pods without storage leave it to Kubernetes.
func ownershipChange(m *v1alpha1.Microservice) *corev1.PodFSGroupChangePolicy {
	if len(m.Spec.Storage) == 0 {
		return nil
	}
	return new(corev1.FSGroupChangeOnRootMismatch)
}

// onePod are the fields that would run a second pod on storage for one.
func onePod(spec v1alpha1.WorkloadSpec) string {
	if !single(spec) {
		return ""
	}
	const why = "storage of kind Single is for one pod"
	r := cmp.Or(spec.Rollout, &v1alpha1.Rollout{})
	switch {
	case spec.Autoscaling != nil:
		return "autoscaling: " + why + ": remove it, or use Shared"
	case spec.Replicas != nil && *spec.Replicas > 1:
		return "replicas: " + why + ": set it to 1 or 0, or use Shared"
	case r.Strategy != "" && r.Strategy != v1alpha1.StrategyRolling:
		return "rollout.strategy: " + why + ", which ends before the next one starts: remove it"
	case r.MaxSurge != nil:
		return "rollout.maxSurge: " + why + ", which ends before the next one starts: remove it"
	case r.MaxUnavailable != nil:
		return "rollout.maxUnavailable: " + why + ", which ends before the next one starts: remove it"
	default:
		return ""
	}
}

// storageFits finds names and paths that are taken.
func storageFits(spec v1alpha1.WorkloadSpec) string {
	names, paths := map[string]bool{tmpVolume: true, filesVolumeName: true}, map[string]bool{}
	for _, v := range spec.Volumes {
		names[v.Name] = true
	}
	for _, v := range spec.VolumeMounts {
		paths[v.MountPath] = true
	}
	for _, f := range spec.Files {
		paths[f.MountPath] = true
	}
	for _, s := range spec.Storage {
		switch {
		case names[s.Name]:
			return fmt.Sprintf("storage[%s].name: a volume has it: choose another", s.Name)
		case paths[s.MountPath]:
			return fmt.Sprintf("storage[%s].mountPath: a volume or file has it: choose another", s.Name)
		}
		names[s.Name], paths[s.MountPath] = true, true
	}
	return ""
}
