package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
)

// ServiceDefaults are fields that every service starts from. They mean what
// they mean in a service; images has the defaults of pulling, and network those
// of connections.
type ServiceDefaults struct {
	// env for the main container of every service.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=100
	Env []EnvVar `json:"env,omitempty" patchStrategy:"merge" patchMergeKey:"name"`

	// envFrom of every service that has none of its own.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	EnvFrom []EnvFromSource `json:"envFrom,omitempty"`

	// resources of the main container of every service. What size gives a
	// bundled service wins over it.
	// +optional
	Resources *corev1.ResourceRequirements `json:"resources,omitempty"`

	// rollout of every service. One with storage of kind Single takes only
	// progressDeadlineSeconds.
	// +optional
	Rollout *Rollout `json:"rollout,omitempty"`

	// terminationGracePeriodSeconds of every service that the operator does not
	// bring: a bundled service knows how long it needs.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3600
	TerminationGracePeriodSeconds *int64 `json:"terminationGracePeriodSeconds,omitempty"`

	// nodeSelector of every service; a service adds labels to it.
	// +optional
	// +mapType=atomic
	// +kubebuilder:validation:MaxProperties=16
	NodeSelector map[string]LabelValue `json:"nodeSelector,omitempty"`

	// tolerations of every service that has none of its own.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`

	// topologySpread of every service that has none of its own.
	// +optional
	// +listType=map
	// +listMapKey=topologyKey
	// +listMapKey=whenUnsatisfiable
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	TopologySpread []corev1.TopologySpreadConstraint `json:"topologySpread,omitempty"`

	// priorityClassName of every service.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`
	PriorityClassName string `json:"priorityClassName,omitempty"`

	// disruption of every service that has none of its own.
	// +optional
	Disruption *Disruption `json:"disruption,omitempty" patchStrategy:"replace"`

	// podLabels of every service, such as who pays for it; a service adds to
	// them.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, !(k in ['app.kubernetes.io/name', 'app.kubernetes.io/instance', 'app.kubernetes.io/part-of', 'app.kubernetes.io/managed-by', 'pod-template-hash']) && !k.startsWith('streamplane.dev/') && !k.startsWith('calls.streamplane.dev/'))",message="the operator sets app.kubernetes.io/name, instance, part-of and managed-by, pod-template-hash, streamplane.dev/ and calls.streamplane.dev/ labels itself: remove them"
	PodLabels map[string]LabelValue `json:"podLabels,omitempty"`

	// podAnnotations of every service; a service adds to them.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('streamplane.dev/'))",message="streamplane.dev/ annotations belong to the operator: remove them"
	PodAnnotations map[string]AnnotationValue `json:"podAnnotations,omitempty"`

	// metrics has Prometheus scrape every service.
	// +optional
	Metrics *Metrics `json:"metrics,omitempty"`
}
