package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Microservice is one service of a platform. The operator makes one for each
// service of a StreamingPlatform; a team may write its own.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.replicas,statuspath=.status.replicas,selectorpath=.status.selector
// +kubebuilder:resource:shortName=ms,categories=streamplane
// +kubebuilder:printcolumn:name="Service",type=string,JSONPath=`.spec.serviceName`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Pods",type=string,JSONPath=`.status.pods`
// +kubebuilder:printcolumn:name="Image",type=string,JSONPath=`.spec.image`,priority=1
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",message="metadata.name must be at most 63 characters, begin with a letter and contain no dots, because it becomes the name of a Service"
type Microservice struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the wanted state.
	// +required
	Spec MicroserviceSpec `json:"spec"`

	// status is what the operator last saw.
	// +optional
	// +kubebuilder:default:={"observedGeneration":-1}
	Status MicroserviceStatus `json:"status,omitempty"`
}

// MicroserviceList is a list of Microservices.
//
// +kubebuilder:object:root=true
type MicroserviceList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Microservice `json:"items"`
}

// MicroserviceSpec is one service and the platform that it belongs to.
//
// +kubebuilder:validation:XValidation:rule="has(self.image)",message="image is required",fieldPath=".image",reason=FieldValueRequired
// +kubebuilder:validation:XValidation:rule="has(self.serviceName) == has(oldSelf.serviceName) && (!has(self.serviceName) || self.serviceName == oldSelf.serviceName)",message="serviceName is immutable: delete the Microservice and create one with the other name"
type MicroserviceSpec struct {
	// platformRef is the StreamingPlatform, in the same namespace, that the
	// service belongs to.
	// +required
	PlatformRef PlatformReference `json:"platformRef"`

	// serviceName is the name inside the platform by which other services call
	// it. Absent means metadata.name. Immutable.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^[a-z]([a-z0-9-]*[a-z0-9])?$`
	ServiceName string `json:"serviceName,omitempty"`

	// routes of other services that this one, the gateway of a platform, serves.
	// The platform fills them in. They become the file routes.json of a ConfigMap
	// that the pods follow, so that no pod restarts for them.
	// +optional
	// +listType=map
	// +listMapKey=path
	// +kubebuilder:validation:MaxItems=200
	Routes []Route `json:"routes,omitempty"`

	WorkloadSpec `json:",inline"`
}

// PlatformReference names a StreamingPlatform in the same namespace.
type PlatformReference struct {
	// name of the StreamingPlatform.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=50
	// +kubebuilder:validation:Pattern=`^[a-z]([a-z0-9-]*[a-z0-9])?$`
	Name string `json:"name"`
}

// SlotStatus is what runs in a slot.
type SlotStatus struct {
	// name of the slot: blue or green.
	Name string `json:"name"`

	// imageIDs are the images of the main container as the nodes have pulled
	// them, with their digests: what runs, whatever the tag points to by now.
	// More than one while a change rolls, or when a tag has moved between two
	// starts of pods.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=8
	ImageIDs []string `json:"imageIDs,omitempty"`
}

// ScalingStatus is what autoscaling starts from at the moment.
type ScalingStatus struct {
	// minReplicas is the least number of pods: the greatest of what the
	// specification, the active schedules and the signals ask for.
	MinReplicas int32 `json:"minReplicas"`

	// activeSchedules are the names of the schedules whose time it is.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=8
	ActiveSchedules []string `json:"activeSchedules,omitempty"`
}

// MicroserviceStatus is what the operator last saw of a service.
type MicroserviceStatus struct {
	// observedGeneration is the generation that this status speaks of; -1
	// before the operator has seen the resource.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions Ready, and while they hold Reconciling, Stalled and Paused;
	// ScalingActive with autoscaling, SignalsActive with signals or scaleToZero;
	// PlatformFound=False and ServiceNameConflict while platformRef or
	// serviceName do not fit;
	// ConfigResolved=False while a ConfigMap or Secret is missing;
	// RouteReady when expose asks for a route; MonitoringReady=False while
	// metrics asks for what is missing.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// replicas is the number of pods of the stable slot, for kubectl scale.
	// +optional
	Replicas int32 `json:"replicas,omitempty"`

	// selector of the pods of the stable slot, for autoscalers.
	// +optional
	Selector string `json:"selector,omitempty"`

	// pods reads "available/wanted", for people.
	// +optional
	Pods string `json:"pods,omitempty"`

	// stableSlot is the slot that takes the traffic: blue or green.
	// +optional
	StableSlot string `json:"stableSlot,omitempty"`

	// slots that have a Deployment, and what runs in each.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=2
	Slots []SlotStatus `json:"slots,omitempty"`

	// currentRevision is the name of the ControllerRevision that the pods are of,
	// or on their way to.
	// +optional
	CurrentRevision string `json:"currentRevision,omitempty"`

	// updateRevision is the one that the specification asks for. It differs from
	// currentRevision while it waits, and after it failed.
	// +optional
	UpdateRevision string `json:"updateRevision,omitempty"`

	// stableRevision is the last one of which all pods were available. It is
	// currentRevision, except while that one is on its way.
	// +optional
	StableRevision string `json:"stableRevision,omitempty"`

	// failedRevision is the one that failed, so that an older one runs again.
	// +optional
	FailedRevision string `json:"failedRevision,omitempty"`

	// scaling is what autoscaling starts from at the moment; absent without
	// schedules and signals.
	// +optional
	Scaling *ScalingStatus `json:"scaling,omitempty"`

	// address inside the cluster of the service's first port.
	// +optional
	Address string `json:"address,omitempty"`
}
