package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
)

// Migration is a Job that runs to completion before any pod of a new revision
// starts, for example to change the schema of a database. It runs in a pod like
// those of the service: the same variables, files, volumes, init containers and
// sidecars, but no traffic.
//
// +kubebuilder:validation:XValidation:rule="has(self.image) || has(self.command) || has(self.args)",message="set image, command or args: the service itself does not end"
type Migration struct {
	// image of the Job. Absent means the image of the service.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^([a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?(:[0-9]{1,5})?/)?[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$`
	Image string `json:"image,omitempty"`

	// command replaces the entrypoint of the image. Absent means, without an
	// image here, the command of the service.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=4096
	Command []string `json:"command,omitempty"`

	// args replaces the arguments of the image.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MaxLength=4096
	Args []string `json:"args,omitempty"`

	// resources of the Job's container. Absent means those of the service. It is
	// replaced as a whole.
	// +optional
	Resources *corev1.ResourceRequirements `json:"resources,omitempty" patchStrategy:"replace"`

	// activeDeadlineSeconds is how long the Job may take, all attempts together.
	// Absent means 600.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=86400
	ActiveDeadlineSeconds *int64 `json:"activeDeadlineSeconds,omitempty"`

	// backoffLimit is how often a pod of the Job that failed is replaced before
	// the migration has failed. Absent means 3.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=20
	BackoffLimit *int32 `json:"backoffLimit,omitempty"`
}
