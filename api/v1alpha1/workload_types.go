package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// WorkloadSpec is how one service runs: its image, its containers' settings,
// its size and how it is updated. A Microservice has exactly one; a
// StreamingPlatform overrides parts of it per service.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.replicas) && has(self.autoscaling))",message="replicas and autoscaling are mutually exclusive: remove one of them"
type WorkloadSpec struct {
	// image of the main container, by tag or digest, for example
	// registry.example.com/team/search:1.4.2.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^([a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?(:[0-9]{1,5})?/)?[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$`
	Image string `json:"image,omitempty"`

	// imagePullPolicy of every container. Absent means IfNotPresent.
	// +optional
	// +kubebuilder:validation:Enum=Always;IfNotPresent;Never
	ImagePullPolicy corev1.PullPolicy `json:"imagePullPolicy,omitempty"`

	// imagePullSecrets name Secrets in this namespace with registry credentials.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=10
	ImagePullSecrets []LocalReference `json:"imagePullSecrets,omitempty" patchStrategy:"merge" patchMergeKey:"name"`

	// command replaces the entrypoint of the image.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=4096
	Command []string `json:"command,omitempty"`

	// args replaces the arguments of the image.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MaxLength=4096
	Args []string `json:"args,omitempty"`

	// ports the main container listens on. The first one takes the traffic of
	// other services. Absent means one port named http at 8080.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	Ports []Port `json:"ports,omitempty" patchStrategy:"merge" patchMergeKey:"name"`

	// env of the main container. Names the operator sets itself (POD_NAME,
	// POD_NAMESPACE, SERVICE_NAME, SERVICE_VERSION, which is the tag or digest
	// of the image, and the addresses of calls) can be overridden here.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=200
	Env []EnvVar `json:"env,omitempty" patchStrategy:"merge" patchMergeKey:"name"`

	// volumes that containers of the pod may mount.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	Volumes []Volume `json:"volumes,omitempty" patchStrategy:"merge" patchMergeKey:"name"`

	// volumeMounts of the main container.
	// +optional
	// +listType=map
	// +listMapKey=mountPath
	// +kubebuilder:validation:MaxItems=32
	VolumeMounts []VolumeMount `json:"volumeMounts,omitempty" patchStrategy:"merge" patchMergeKey:"mountPath"`

	// initContainers run to completion, in order, before the main container.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=8
	InitContainers []InitContainer `json:"initContainers,omitempty" patchStrategy:"merge" patchMergeKey:"name"`

	// resources of the main container. Requests are what the scheduler
	// reserves; autoscaling on cpu needs a cpu request.
	// +optional
	Resources *corev1.ResourceRequirements `json:"resources,omitempty"`

	// probes tell Kubernetes whether the main container lives and may serve.
	// +optional
	Probes *Probes `json:"probes,omitempty"`

	// replicas is a fixed number of pods. Absent, and with no autoscaling,
	// means 1. Mutually exclusive with autoscaling.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	Replicas *int32 `json:"replicas,omitempty"`

	// autoscaling bounds the number of pods and says what makes it grow. The
	// operator then never writes the number itself.
	// +optional
	Autoscaling *Autoscaling `json:"autoscaling,omitempty"`

	// rollout is how a new version replaces the old one.
	// +optional
	Rollout *Rollout `json:"rollout,omitempty"`

	// calls lists the services of the platform that this one calls. Each gives
	// an environment variable <TO>_URL with the address (dashes become
	// underscores), opens the way to the called service, which is closed to all
	// others, and labels the pods calls.streamplane.dev/<to>.
	// +optional
	// +listType=map
	// +listMapKey=to
	// +kubebuilder:validation:MaxItems=50
	Calls []Call `json:"calls,omitempty" patchStrategy:"merge" patchMergeKey:"to"`

	// expose opens the service to callers from outside the platform. Absent
	// means that only services that list it in calls reach it.
	// +optional
	Expose *Expose `json:"expose,omitempty"`

	// network opens connections beside calls and expose.
	// +optional
	Network *Network `json:"network,omitempty"`

	// terminationGracePeriodSeconds is how long a pod may take to stop, the 5
	// seconds included that it keeps serving while its address is withdrawn.
	// Absent means 45.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3600
	TerminationGracePeriodSeconds *int64 `json:"terminationGracePeriodSeconds,omitempty"`
}

// LocalReference names an object in the same namespace.
type LocalReference struct {
	// name of the object.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
}

// Autoscaling bounds the pods of a service; a HorizontalPodAutoscaler moves
// the number between the bounds.
//
// +kubebuilder:validation:XValidation:rule="self.minReplicas <= self.maxReplicas",message="minReplicas must not exceed maxReplicas",fieldPath=".minReplicas"
type Autoscaling struct {
	// minReplicas is the least number of pods.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	MinReplicas int32 `json:"minReplicas"`

	// maxReplicas is the greatest number of pods.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	MaxReplicas int32 `json:"maxReplicas"`

	// cpu scales on the processor time that the main container uses. Absent
	// means an average utilization of 70 percent.
	// +optional
	CPU *CPUTarget `json:"cpu,omitempty"`
}

// CPUTarget is the processor use that autoscaling aims at.
type CPUTarget struct {
	// averageUtilization over all pods, in percent of the cpu request.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	AverageUtilization int32 `json:"averageUtilization"`
}

// RolloutStrategy names a way to replace the running version.
// +kubebuilder:validation:Enum=Rolling
type RolloutStrategy string

// StrategyRolling replaces pods a few at a time in the stable slot.
const StrategyRolling RolloutStrategy = "Rolling"

// Rollout is how a new version replaces the old one.
type Rollout struct {
	// strategy of the rollout. Absent means Rolling.
	// +optional
	Strategy RolloutStrategy `json:"strategy,omitempty"`

	// maxSurge is how many pods, or which percentage, may run beyond the wanted
	// number. Absent means 1.
	// +optional
	// +kubebuilder:validation:XIntOrString
	MaxSurge *intstr.IntOrString `json:"maxSurge,omitempty"`

	// maxUnavailable is how many pods, or which percentage, may be missing.
	// Absent means 0: no capacity is lost.
	// +optional
	// +kubebuilder:validation:XIntOrString
	MaxUnavailable *intstr.IntOrString `json:"maxUnavailable,omitempty"`

	// progressDeadlineSeconds without progress after which the rollout counts
	// as failed. Absent means 600.
	// +optional
	// +kubebuilder:validation:Minimum=10
	// +kubebuilder:validation:Maximum=86400
	ProgressDeadlineSeconds *int32 `json:"progressDeadlineSeconds,omitempty"`
}

// Call is one edge of the call graph.
type Call struct {
	// to is the name of the called service inside the platform.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^[a-z]([a-z0-9-]*[a-z0-9])?$`
	To string `json:"to"`

	// port that the called service's pods listen on. Absent means 8080; the
	// platform fills in the first port of a service that it lists.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port,omitempty"`

	// timeout of one call, such as 500ms or 3s, given to the service as the
	// environment variable <TO>_TIMEOUT. Absent leaves it to the service.
	// +optional
	// +kubebuilder:validation:MaxLength=10
	// +kubebuilder:validation:Pattern=`^[1-9][0-9]{0,6}(ms|s)$`
	Timeout string `json:"timeout,omitempty"`

	// retries after a first attempt that failed, given to the service as the
	// environment variable <TO>_RETRIES. Absent leaves it to the service.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10
	Retries *int32 `json:"retries,omitempty"`

	// microservice that answers. Absent means <platform>-<to>; the platform
	// fills in the name of a team's own Microservice.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z]([a-z0-9-]*[a-z0-9])?$`
	Microservice string `json:"microservice,omitempty"`
}

// ExposeMode says how callers from outside reach a service.
// +kubebuilder:validation:Enum=Direct
type ExposeMode string

// ExposeDirect lets callers from outside the platform connect to the service.
const ExposeDirect ExposeMode = "Direct"

// Expose opens a service to callers from outside the platform.
type Expose struct {
	// mode of the exposure.
	// +required
	Mode ExposeMode `json:"mode"`
}
