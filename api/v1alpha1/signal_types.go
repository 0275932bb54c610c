package v1alpha1

import "k8s.io/apimachinery/pkg/api/resource"

// ScalingSignal turns a metric that the pods of a service serve into a least
// number of pods, without an adapter for metrics.
type ScalingSignal struct {
	// metric is the name of a Prometheus gauge, counter or untyped metric. Its
	// values are summed over all series and all ready pods.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[a-zA-Z_:][a-zA-Z0-9_:]*$`
	Metric string `json:"metric"`

	// perReplica is how much of it one pod is for, more than 0: with 20, a sum of
	// 70 asks for 4 pods.
	// +required
	PerReplica resource.Quantity `json:"perReplica"`
}

// ScaleToZero takes the last pod of a service away while there is nothing to do
// for it, and brings pods back when there is. What there is to do says a service
// that always runs, such as the keeper of a queue.
type ScaleToZero struct {
	// service of the platform whose pods are asked. It must always have pods.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^[a-z]([a-z0-9-]*[a-z0-9])?$`
	Service string `json:"service"`

	// metric is the name of a Prometheus gauge of that service, such as the depth
	// of a queue, served at the port and path of its spec.metrics. More than 0,
	// summed over all series and all ready pods, means that there is something to
	// do.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[a-zA-Z_:][a-zA-Z0-9_:]*$`
	Metric string `json:"metric"`

	// idleSeconds is how long there must have been nothing to do before the pods
	// go. Absent means 300.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=86400
	IdleSeconds *int32 `json:"idleSeconds,omitempty"`
}
