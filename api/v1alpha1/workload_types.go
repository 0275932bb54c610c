package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// WorkloadSpec is how one service runs: its image, its containers' settings,
// its size and how it is updated. A Microservice has exactly one; a
// StreamingPlatform overrides parts of it per service.
//
// +kubebuilder:validation:XValidation:rule="!has(self.replicas) || !has(self.autoscaling) || (has(self.autoscaling.mode) && self.autoscaling.mode == 'External')",message="replicas and autoscaling are mutually exclusive: remove one of them, or set autoscaling.mode to External"
// +kubebuilder:validation:XValidation:rule="has(self.replicas) || !has(self.autoscaling) || !has(self.autoscaling.mode) || self.autoscaling.mode != 'External'",message="replicas is required with autoscaling.mode External: the number of pods to start with",fieldPath=".replicas",reason=FieldValueRequired
// +kubebuilder:validation:XValidation:rule="!has(self.sidecars) || !has(self.initContainers) || self.sidecars.all(s, !self.initContainers.exists(i, i.name == s.name))",message="a sidecar has the name of an init container: rename one of them",fieldPath=".sidecars"
// +kubebuilder:validation:XValidation:rule="!has(self.files) || !has(self.volumeMounts) || self.files.all(f, !self.volumeMounts.exists(v, v.mountPath == f.mountPath))",message="a file has the mountPath of a volume: change one of them",fieldPath=".files"
// +kubebuilder:validation:XValidation:rule="!has(self.storage) || !self.storage.exists(s, s.kind == 'Single') || (!has(self.autoscaling) && (!has(self.replicas) || self.replicas <= 1))",message="storage of kind Single is for one pod: remove autoscaling, and set replicas to 1 or 0",fieldPath=".storage"
// +kubebuilder:validation:XValidation:rule="!has(self.storage) || !self.storage.exists(s, s.kind == 'Single') || !has(self.rollout) || !(has(self.rollout.maxSurge) || has(self.rollout.maxUnavailable) || (has(self.rollout.strategy) && self.rollout.strategy != 'Rolling'))",message="storage of kind Single is for one pod, which ends before the next one starts: remove maxSurge, maxUnavailable and strategy",fieldPath=".rollout"
// +kubebuilder:validation:XValidation:rule="!has(self.storage) || !has(self.volumes) || self.storage.all(s, !self.volumes.exists(v, v.name == s.name))",message="storage has the name of a volume: change one of them",fieldPath=".storage"
// +kubebuilder:validation:XValidation:rule="!has(self.storage) || !has(self.volumeMounts) || self.storage.all(s, !self.volumeMounts.exists(v, v.mountPath == s.mountPath))",message="storage has the mountPath of a volume: change one of them",fieldPath=".storage"
// +kubebuilder:validation:XValidation:rule="!has(self.migration) || !has(self.storage) || !self.storage.exists(s, s.kind == 'Single')",message="storage of kind Single is for one pod, and a migration runs beside it: use an init container instead",fieldPath=".migration"
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

	// envFrom makes a variable of every key of a Secret or ConfigMap, in this
	// order; env wins over all of them. A list given here replaces the one below
	// it, it is not merged.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	EnvFrom []EnvFromSource `json:"envFrom,omitempty"`

	// files of the main container with their content. A changed file rolls the
	// pods; those that still run keep what they started with. At most 512 KiB
	// together.
	// +optional
	// +listType=map
	// +listMapKey=mountPath
	// +kubebuilder:validation:MaxItems=16
	Files []File `json:"files,omitempty" patchStrategy:"merge" patchMergeKey:"mountPath"`

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

	// storage that the operator provides, mounted in the main container. Other
	// containers mount it by its name.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:XValidation:rule="self.all(a, self.exists_one(b, b.mountPath == a.mountPath))",message="two have the same mountPath: change one of them"
	Storage []Storage `json:"storage,omitempty" patchStrategy:"merge" patchMergeKey:"name"`

	// initContainers run to completion, in order, before the main container.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=8
	InitContainers []InitContainer `json:"initContainers,omitempty" patchStrategy:"merge" patchMergeKey:"name"`

	// sidecars run beside the main container for as long as the pod lives. They
	// start in order, before initContainers, and stop after the main container.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=8
	Sidecars []Sidecar `json:"sidecars,omitempty" patchStrategy:"merge" patchMergeKey:"name"`

	// resources of the main container. Requests are what the scheduler
	// reserves; autoscaling on cpu or on the utilization of memory needs a
	// request of it.
	// +optional
	Resources *corev1.ResourceRequirements `json:"resources,omitempty"`

	// probes tell Kubernetes whether the main container lives and may serve.
	// +optional
	Probes *Probes `json:"probes,omitempty"`

	// replicas is a fixed number of pods. Absent, and with no autoscaling,
	// means 1; the scale subresource of a Microservice then answers with an
	// error. Mutually exclusive with autoscaling, except with its mode External:
	// there it is required. In a service of a platform it then is the number of
	// pods to start with, in a Microservice the number that the autoscaler sets.
	// A service that runs keeps its number when the mode becomes External.
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

	// migration runs once for each new revision, before its first pod starts.
	// What runs goes on meanwhile, so the old version must work with what the
	// migration leaves behind. A migration that failed keeps the new revision
	// away until the specification or rollout.retry changes.
	// +optional
	Migration *Migration `json:"migration,omitempty"`

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

	// metrics has Prometheus scrape the service. Absent means that the operator
	// makes nothing for it.
	// +optional
	Metrics *Metrics `json:"metrics,omitempty"`

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

	// serviceAccountName is an existing ServiceAccount that the pods run as; the
	// operator then makes none. Absent means one named after the Microservice.
	// Its token is not mounted; podTemplate can change that.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`
	ServiceAccountName string `json:"serviceAccountName,omitempty"`

	// nodeSelector are labels that a node must have to run the pods.
	// +optional
	// +mapType=atomic
	// +kubebuilder:validation:MaxProperties=16
	NodeSelector map[string]LabelValue `json:"nodeSelector,omitempty"`

	// tolerations let the pods run on nodes with these taints. A list given
	// here replaces the one below it, it is not merged.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`

	// affinity to nodes and to other pods. It is replaced as a whole.
	// +optional
	Affinity *corev1.Affinity `json:"affinity,omitempty" patchStrategy:"replace"`

	// topologySpread spreads the pods over zones, nodes or other domains. Absent
	// means over zones and nodes where possible. A constraint without a
	// labelSelector counts the pods of this service's newest revision.
	// +optional
	// +listType=map
	// +listMapKey=topologyKey
	// +listMapKey=whenUnsatisfiable
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	TopologySpread []corev1.TopologySpreadConstraint `json:"topologySpread,omitempty"`

	// priorityClassName of the pods: who is evicted for whom. Absent means the
	// default of the cluster.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`
	PriorityClassName string `json:"priorityClassName,omitempty"`

	// disruption is how many pods a drain of nodes may take at once. Absent
	// means one, for a service of two pods or more. It is replaced as a whole.
	// +optional
	Disruption *Disruption `json:"disruption,omitempty" patchStrategy:"replace"`

	// podLabels are further labels of the pods.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, !(k in ['app.kubernetes.io/name', 'app.kubernetes.io/instance', 'app.kubernetes.io/part-of', 'app.kubernetes.io/managed-by', 'pod-template-hash']) && !k.startsWith('streamplane.dev/') && !k.startsWith('calls.streamplane.dev/'))",message="the operator sets app.kubernetes.io/name, instance, part-of and managed-by, pod-template-hash, streamplane.dev/ and calls.streamplane.dev/ labels itself: remove them"
	PodLabels map[string]LabelValue `json:"podLabels,omitempty"`

	// podAnnotations are annotations of the pods.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(k, !k.startsWith('streamplane.dev/'))",message="streamplane.dev/ annotations belong to the operator: remove them"
	PodAnnotations map[string]AnnotationValue `json:"podAnnotations,omitempty"`

	// paused true leaves everything that runs this service as it is: changes of
	// the specification wait, and nothing is repaired. The status goes on, with
	// the condition Paused.
	// +optional
	Paused bool `json:"paused,omitempty"`

	// podTemplate is a strategic merge patch (metadata and spec of a pod) that
	// is laid over the finished pod template, for what no other field can say.
	// The main container is named app. Null is refused: {$patch: delete} removes
	// an element or a part, {$patch: replace} in a list replaces the list. What
	// the operator depends on cannot be changed, and the result must meet the
	// restricted Pod Security Standard; otherwise the service is Stalled with
	// PodTemplateRejected and what runs stays. At most 32 KiB of JSON. It is
	// replaced as a whole.
	// +optional
	// +mapType=atomic
	// +kubebuilder:pruning:PreserveUnknownFields
	// +kubebuilder:validation:Type=object
	PodTemplate *runtime.RawExtension `json:"podTemplate,omitempty" patchStrategy:"replace"`
}

// LocalReference names an object in the same namespace.
type LocalReference struct {
	// name of the object.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
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
