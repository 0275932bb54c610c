package v1alpha1

// LabelValue is the value of a label.
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:Pattern=`^([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)?$`
type LabelValue string

// AnnotationValue is the value of an annotation.
// +kubebuilder:validation:MaxLength=4096
type AnnotationValue string

// EnvFromSource makes variables of the keys of an object; exactly one of its
// references is set.
//
// +kubebuilder:validation:XValidation:rule="has(self.secretRef) != has(self.configMapRef)",message="set exactly one of secretRef and configMapRef"
type EnvFromSource struct {
	// prefix of the names of the variables.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^[A-Za-z_][A-Za-z0-9_.-]*$`
	Prefix string `json:"prefix,omitempty"`

	// secretRef names a Secret in this namespace.
	// +optional
	SecretRef *LocalReference `json:"secretRef,omitempty"`

	// configMapRef names a ConfigMap in this namespace.
	// +optional
	ConfigMapRef *LocalReference `json:"configMapRef,omitempty"`
}

// File is a small text file of a container.
type File struct {
	// mountPath of the file in the container, absolute. What the image has
	// beside it stays.
	// +required
	// +kubebuilder:validation:MinLength=2
	// +kubebuilder:validation:MaxLength=200
	// +kubebuilder:validation:Pattern=`^(/[A-Za-z0-9_.-]+)+$`
	MountPath string `json:"mountPath"`

	// content of the file.
	// +required
	// +kubebuilder:validation:MaxLength=32768
	Content string `json:"content"`
}

// Volume is a directory that containers of the pod share; exactly one source
// is set.
//
// +kubebuilder:validation:XValidation:rule="[has(self.emptyDir), has(self.configMap), has(self.secret), has(self.persistentVolumeClaim), has(self.ephemeral)].filter(set, set).size() == 1",message="set exactly one of emptyDir, configMap, secret, persistentVolumeClaim and ephemeral"
// +kubebuilder:validation:XValidation:rule="self.name != 'streamplane-files'",message="streamplane-files is the volume of spec.files",fieldPath=".name"
type Volume struct {
	// name by which volumeMounts refer to it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`
	Name string `json:"name"`

	// emptyDir is an empty directory that lives as long as the pod.
	// +optional
	EmptyDir *EmptyDir `json:"emptyDir,omitempty"`

	// configMap has a file for each key of a ConfigMap in this namespace.
	// +optional
	ConfigMap *ObjectVolume `json:"configMap,omitempty"`

	// secret has a file for each key of a Secret in this namespace.
	// +optional
	Secret *ObjectVolume `json:"secret,omitempty"`

	// persistentVolumeClaim is storage that exists already and outlives the
	// service. All pods of the service mount the same.
	// +optional
	PersistentVolumeClaim *ClaimVolume `json:"persistentVolumeClaim,omitempty"`

	// ephemeral is storage of its own for each pod, provisioned with it and
	// deleted with it: for caches that are too large for the node's disk.
	// +optional
	Ephemeral *EphemeralVolume `json:"ephemeral,omitempty"`
}

// Sources is how many sources are set.
func (v Volume) Sources() int {
	n := 0
	for _, set := range []bool{
		v.EmptyDir != nil, v.ConfigMap != nil, v.Secret != nil, v.PersistentVolumeClaim != nil, v.Ephemeral != nil,
	} {
		if set {
			n++
		}
	}
	return n
}

// EmptyDir is a directory that lives as long as the pod.
type EmptyDir struct {
	// sizeLimit above which the pod is evicted, for example 1Gi.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|k|M|G|T)?$`
	SizeLimit string `json:"sizeLimit,omitempty"`
}

// ObjectVolume shows the keys of a ConfigMap or Secret as files.
type ObjectVolume struct {
	// name of the object.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`

	// optional true lets pods start while the object does not exist.
	// +optional
	Optional bool `json:"optional,omitempty"`
}

// ClaimVolume is a PersistentVolumeClaim.
type ClaimVolume struct {
	// claimName of a PersistentVolumeClaim in this namespace.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	ClaimName string `json:"claimName"`

	// readOnly forbids all containers to write.
	// +optional
	ReadOnly bool `json:"readOnly,omitempty"`
}

// EphemeralVolume is storage that is provisioned for each pod.
type EphemeralVolume struct {
	// size of the storage, for example 100Gi.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|k|M|G|T)?$`
	Size string `json:"size"`

	// storageClassName of the storage. Absent means the default of the cluster.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	StorageClassName string `json:"storageClassName,omitempty"`
}
