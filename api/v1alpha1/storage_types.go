package v1alpha1

// StorageKind says who shares a storage, and how long it lives.
// +kubebuilder:validation:Enum=Cache;Shared;Single
type StorageKind string

// The kinds of storage.
const (
	// StorageCache gives each pod storage of its own, which goes with the pod.
	StorageCache StorageKind = "Cache"
	// StorageShared is one storage for all pods, which outlives the service.
	StorageShared StorageKind = "Shared"
	// StorageSingle is storage for a service of one pod, which outlives it.
	StorageSingle StorageKind = "Single"
)

// Claimed says whether the storage outlives the service.
func (k StorageKind) Claimed() bool { return k == StorageShared || k == StorageSingle }

// Storage is disk space of a service.
//
// +kubebuilder:validation:XValidation:rule="!(self.name in ['tmp', 'streamplane-files'])",message="tmp and streamplane-files are volumes of the operator: choose another name",fieldPath=".name"
type Storage struct {
	// name of the storage. The PersistentVolumeClaim of Shared and Single is
	// <microservice>-<name>.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`
	Name string `json:"name"`

	// kind Cache gives each pod storage of its own, which is deleted with the
	// pod. Shared is one PersistentVolumeClaim for all pods (ReadWriteMany).
	// Single is one for a service of one pod (ReadWriteOnce): the old pod ends
	// before the new one starts. Claims of Shared and Single outlive the service
	// and are never deleted; a service of the same name finds them again.
	// +required
	Kind StorageKind `json:"kind"`

	// size of the storage, for example 100Gi. It can grow where the storage
	// class allows it; that of Shared and Single cannot shrink.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|k|M|G|T)?$`
	Size string `json:"size"`

	// storageClassName of the storage. Absent means the default of the cluster.
	// That of Shared and Single cannot change.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	StorageClassName string `json:"storageClassName,omitempty"`

	// mountPath in the main container, absolute.
	// +required
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=200
	// +kubebuilder:validation:Pattern=`^(/[A-Za-z0-9_.-]+)+$`
	MountPath string `json:"mountPath"`
}
