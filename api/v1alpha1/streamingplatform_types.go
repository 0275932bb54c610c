package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// StreamingPlatform is a whole video streaming service: a set of
// microservices, each deployed, scaled and rolled out on its own. An empty
// spec gives the bundled platform.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=sp,categories=streamplane
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Services",type=string,JSONPath=`.status.servicesReady`
// +kubebuilder:printcolumn:name="Release",type=string,JSONPath=`.status.release`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 50 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",message="metadata.name must be at most 50 characters, begin with a letter and contain no dots, because it begins the names of Services"
type StreamingPlatform struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the wanted state.
	// +optional
	Spec StreamingPlatformSpec `json:"spec,omitempty"`

	// status is what the operator last saw.
	// +optional
	// +kubebuilder:default:={"observedGeneration":-1}
	Status StreamingPlatformStatus `json:"status,omitempty"`
}

// StreamingPlatformList is a list of StreamingPlatforms.
//
// +kubebuilder:object:root=true
type StreamingPlatformList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []StreamingPlatform `json:"items"`
}

// StreamingPlatformSpec is the wanted platform.
type StreamingPlatformSpec struct {
	// release of the bundled services. Absent means the one that first
	// reconciled the platform; it changes only when set here.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`
	Release string `json:"release,omitempty"`

	// images says where the bundled images come from and how they are pulled.
	// +optional
	Images *Images `json:"images,omitempty"`

	// size presets replicas, autoscaling bounds and resources of the bundled
	// services: Small for trials, Medium for thousands and Large for tens of
	// thousands of concurrent viewers. Absent means Small. A service's own
	// fields win.
	// +optional
	Size Size `json:"size,omitempty"`

	// data says where the platform's data lives.
	// +optional
	Data *Data `json:"data,omitempty"`

	// edge is where viewers come in. Absent means that no route is made; the
	// Service of the gateway can still be reached, or given a LoadBalancer.
	// +optional
	Edge *Edge `json:"edge,omitempty"`

	// network opens connections of every service of this resource beside the
	// calls between them; all others are denied. A service's own network adds
	// to egress and replaces the other lists. Services that a team owns have
	// only their own.
	// +optional
	Network *Network `json:"network,omitempty"`

	// defaults are merged under every service of this resource, not under those
	// that teams write: over what the operator brings for a bundled service, and
	// below the service's own fields.
	// +optional
	Defaults *ServiceDefaults `json:"defaults,omitempty"`

	// rollout says how new versions of several services follow one another. Only
	// services that have a new version wait, and only with that: see
	// rollout.hold of a service.
	// +optional
	Rollout *PlatformRollout `json:"rollout,omitempty"`

	// services overrides fields of bundled services and adds services of your
	// own. Deleting the entry of a bundled service reverts it to its defaults;
	// deleting the entry of your own service deletes the service.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=50
	Services []PlatformService `json:"services,omitempty"`
}

// Size is a preset of replicas and resources.
// +kubebuilder:validation:Enum=Small;Medium;Large
type Size string

// The sizes of a platform.
const (
	SizeSmall  Size = "Small"
	SizeMedium Size = "Medium"
	SizeLarge  Size = "Large"
)

// Images says where images come from and how they are pulled.
type Images struct {
	// registry replaces the registry and path of every bundled image, for
	// example registry.example.com/mirror/streamplane.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:Pattern=`^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$`
	Registry string `json:"registry,omitempty"`

	// pullPolicy of every container. Absent means IfNotPresent.
	// +optional
	// +kubebuilder:validation:Enum=Always;IfNotPresent;Never
	PullPolicy corev1.PullPolicy `json:"pullPolicy,omitempty"`

	// pullSecrets name Secrets in this namespace with registry credentials.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=10
	PullSecrets []LocalReference `json:"pullSecrets,omitempty"`
}

// SampleMedia says whether the platform brings videos of its own.
// +kubebuilder:validation:Enum=Included;None
type SampleMedia string

// The choices for sample media.
const (
	// SampleMediaIncluded copies the sample videos into the streaming service.
	SampleMediaIncluded SampleMedia = "Included"
	// SampleMediaNone leaves the streaming service with what its env
	// MEDIA_URL names, for example an S3 bucket.
	SampleMediaNone SampleMedia = "None"
)

// Data says where the platform's data lives.
type Data struct {
	// sampleMedia says whether the platform brings videos of its own. Absent
	// means Included.
	// +optional
	SampleMedia SampleMedia `json:"sampleMedia,omitempty"`
}

// PlatformService overrides a bundled service or adds one of your own, which
// then needs an image.
type PlatformService struct {
	// name of the service inside the platform.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^[a-z]([a-z0-9-]*[a-z0-9])?$`
	Name string `json:"name"`

	// enabled false removes the service and everything made for it. Absent
	// means true.
	// +optional
	Enabled *bool `json:"enabled,omitempty"`

	// managedBy Team hands the service over to a team: its Microservice and its
	// pods stay as they are, and the platform no longer writes them. All other
	// fields of this entry have no effect meanwhile. Removing managedBy, or the
	// entry of a bundled service, takes the Microservice back. Absent means
	// Platform.
	// +optional
	ManagedBy ManagedBy `json:"managedBy,omitempty"`

	WorkloadSpec `json:",inline"`
}

// StreamingPlatformStatus is what the operator last saw of a platform.
type StreamingPlatformStatus struct {
	// observedGeneration is the generation that this status speaks of; -1
	// before the operator has seen the resource.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions Ready, and while they hold Reconciling and Stalled;
	// MembersReady when teams' own Microservices join the platform; RouteReady
	// when edge or a service asks for a route.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// release of the bundled services that the platform runs.
	// +optional
	Release string `json:"release,omitempty"`

	// servicesReady reads "ready/listed", for people.
	// +optional
	ServicesReady string `json:"servicesReady,omitempty"`

	// services shows each listed service, the bundled ones and those of spec,
	// and then, by name, those that teams' own Microservices add.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=100
	Services []ServiceStatus `json:"services,omitempty"`
}

// ServiceStatus is what the operator last saw of one service of a platform.
type ServiceStatus struct {
	// name of the service inside the platform.
	// +required
	Name string `json:"name"`

	// microservice is the name of the Microservice that runs it.
	// +required
	Microservice string `json:"microservice"`

	// ready is the status of the Microservice's Ready condition for its newest
	// generation.
	// +required
	Ready metav1.ConditionStatus `json:"ready"`

	// reason of that condition, a CamelCase word.
	// +optional
	Reason string `json:"reason,omitempty"`

	// message of that condition, at most 512 characters.
	// +optional
	Message string `json:"message,omitempty"`

	// pods reads "available/wanted", for people.
	// +optional
	Pods string `json:"pods,omitempty"`

	// image of the main container that is wanted.
	// +optional
	Image string `json:"image,omitempty"`

	// address inside the cluster of the service's first port.
	// +optional
	Address string `json:"address,omitempty"`

	// scale is the wanted number of pods: "3"; with autoscaling its bounds,
	// "2..6"; "external" where an autoscaler of yours sets it.
	// +optional
	Scale string `json:"scale,omitempty"`

	// managedBy says who writes the Microservice: Team, or the platform when
	// absent.
	// +optional
	ManagedBy ManagedBy `json:"managedBy,omitempty"`
}

// ManagedBy says who writes the Microservice of a service.
// +kubebuilder:validation:Enum=Platform;Team
type ManagedBy string

// Those who may write a Microservice.
const (
	ManagedByPlatform ManagedBy = "Platform"
	ManagedByTeam     ManagedBy = "Team"
)
