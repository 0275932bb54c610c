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
