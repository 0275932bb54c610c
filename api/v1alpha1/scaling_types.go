package v1alpha1

import (
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// AutoscalingMode says who moves the number of pods.
// +kubebuilder:validation:Enum=Native;KEDA;External
type AutoscalingMode string

// The modes of autoscaling.
const (
	// AutoscalingNative makes a HorizontalPodAutoscaler.
	AutoscalingNative AutoscalingMode = "Native"
	// AutoscalingKEDA makes a ScaledObject of KEDA.
	AutoscalingKEDA AutoscalingMode = "KEDA"
	// AutoscalingExternal leaves the number to an autoscaler of others, which
	// scales the Microservice.
	AutoscalingExternal AutoscalingMode = "External"
)

// Autoscaling moves the number of pods of a service between two bounds.
//
// +kubebuilder:validation:XValidation:rule="has(self.minReplicas) || (has(self.mode) && self.mode == 'External')",message="minReplicas is required",fieldPath=".minReplicas",reason=FieldValueRequired
// +kubebuilder:validation:XValidation:rule="has(self.maxReplicas) || (has(self.mode) && self.mode == 'External')",message="maxReplicas is required",fieldPath=".maxReplicas",reason=FieldValueRequired
// +kubebuilder:validation:XValidation:rule="!has(self.minReplicas) || !has(self.maxReplicas) || self.minReplicas <= self.maxReplicas",message="minReplicas must not exceed maxReplicas",fieldPath=".minReplicas"
// +kubebuilder:validation:XValidation:rule="!has(self.mode) || self.mode != 'External' || !(has(self.minReplicas) || has(self.maxReplicas) || has(self.cpu) || has(self.memory) || has(self.metrics) || has(self.behavior) || has(self.schedules))",message="mode External leaves bounds, targets, behavior and schedules to the other autoscaler: remove them",fieldPath=".mode"
// +kubebuilder:validation:XValidation:rule="!has(self.triggers) || (has(self.mode) && self.mode == 'KEDA')",message="triggers need mode KEDA",fieldPath=".triggers"
// +kubebuilder:validation:XValidation:rule="!has(self.mode) || self.mode != 'KEDA' || !has(self.metrics)",message="mode KEDA takes triggers instead of metrics",fieldPath=".metrics"
// +kubebuilder:validation:XValidation:rule="!has(self.schedules) || !has(self.maxReplicas) || self.schedules.all(s, s.minReplicas <= self.maxReplicas)",message="minReplicas of a schedule must not exceed maxReplicas",fieldPath=".schedules"
// +kubebuilder:validation:XValidation:rule="!has(self.signals) || !has(self.mode) || self.mode == 'Native'",message="signals need mode Native",fieldPath=".signals"
// +kubebuilder:validation:XValidation:rule="!has(self.scaleToZero) || !has(self.mode) || self.mode == 'Native'",message="scaleToZero needs mode Native",fieldPath=".scaleToZero"
type Autoscaling struct {
	// mode says who moves the number of pods: Native is a
	// HorizontalPodAutoscaler made by the operator. KEDA is a ScaledObject made
	// by the operator, which needs KEDA: without it the number stays as it is,
	// and the condition ScalingActive says so. External is an autoscaler of
	// yours, which targets the scale subresource of the Microservice: it sets
	// spec.replicas there, and the pods follow. Absent means Native.
	// +optional
	Mode AutoscalingMode `json:"mode,omitempty"`

	// minReplicas is the least number of pods. Required, except with External.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	MinReplicas int32 `json:"minReplicas,omitempty"`

	// maxReplicas is the greatest number of pods. Required, except with External.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	MaxReplicas int32 `json:"maxReplicas,omitempty"`

	// cpu scales on the processor time that the main container uses. Absent,
	// and with no other target, means an average utilization of 70 percent.
	// +optional
	CPU *CPUTarget `json:"cpu,omitempty"`

	// memory scales on the memory that the main container uses.
	// +optional
	Memory *MemoryTarget `json:"memory,omitempty" patchStrategy:"replace"`

	// metrics are further targets, as in a HorizontalPodAutoscaler; the greatest
	// number that any target asks for wins. A list given here replaces the one
	// below it, it is not merged.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Metrics []autoscalingv2.MetricSpec `json:"metrics,omitempty"`

	// triggers of KEDA; the greatest number that any of them, cpu or memory asks
	// for wins. Mode KEDA needs one of the three. A list given here replaces the
	// one below it, it is not merged.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Triggers []ScalingTrigger `json:"triggers,omitempty"`

	// signals raise minReplicas by what the pods of the service say of
	// themselves: the operator reads their metrics, at the port and path of
	// spec.metrics, every few seconds. The greatest number that any signal or
	// schedule asks for wins, up to maxReplicas. behavior limits how fast it moves;
	// without it the number grows at once, and falls when nothing has asked for
	// more for 300 seconds. What cannot be read lowers nothing, and the condition
	// SignalsActive tells it. Mode Native only.
	// +optional
	// +listType=map
	// +listMapKey=metric
	// +kubebuilder:validation:MaxItems=8
	Signals []ScalingSignal `json:"signals,omitempty" patchStrategy:"merge" patchMergeKey:"metric"`

	// scaleToZero lets the service have no pod at all while there is nothing to do
	// for it. As soon as there is, or while a schedule is active, it has
	// minReplicas or more. What cannot be read moves nothing, and the condition
	// SignalsActive tells it. Mode Native only. It is replaced as a whole.
	// +optional
	ScaleToZero *ScaleToZero `json:"scaleToZero,omitempty" patchStrategy:"replace"`

	// behavior limits how fast the number grows and shrinks, as in a
	// HorizontalPodAutoscaler. Absent means the defaults of Kubernetes.
	// +optional
	Behavior *autoscalingv2.HorizontalPodAutoscalerBehavior `json:"behavior,omitempty" patchStrategy:"replace"`

	// schedules raise minReplicas at certain times, such as before the evening.
	// Where several are active the greatest number wins.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=8
	Schedules []AutoscalingSchedule `json:"schedules,omitempty" patchStrategy:"merge" patchMergeKey:"name"`
}

// AutoscalingSchedule raises the least number of pods from each start to the
// next end.
//
// +kubebuilder:validation:XValidation:rule="self.start != self.end",message="start and end must differ",fieldPath=".end"
type AutoscalingSchedule struct {
	// name of the schedule, shown in status while it is active.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`
	Name string `json:"name"`

	// start is when the number is raised: a cron expression of five fields
	// (minute, hour, day, month, weekday), such as 30 17 * * 1-5.
	// A time that a change of the clocks leaves out comes with the change.
	// +required
	// +kubebuilder:validation:MinLength=9
	// +kubebuilder:validation:MaxLength=100
	// +kubebuilder:validation:Pattern=`^[0-9A-Za-z*/,?-]+( +[0-9A-Za-z*/,?-]+){4}$`
	Start string `json:"start"`

	// end is when it falls back, as start. Where both come at once end wins.
	// +required
	// +kubebuilder:validation:MinLength=9
	// +kubebuilder:validation:MaxLength=100
	// +kubebuilder:validation:Pattern=`^[0-9A-Za-z*/,?-]+( +[0-9A-Za-z*/,?-]+){4}$`
	End string `json:"end"`

	// timeZone of start and end, such as Europe/Berlin, by the IANA database.
	// Absent means UTC.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$`
	TimeZone string `json:"timeZone,omitempty"`

	// minReplicas is the least number of pods meanwhile, at most maxReplicas.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	MinReplicas int32 `json:"minReplicas"`
}

// ScalingTrigger is what KEDA measures, as in a ScaledObject.
type ScalingTrigger struct {
	// type of the scaler, for example prometheus or nats-jetstream.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Type string `json:"type"`

	// name of the trigger among those of the service.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name,omitempty"`

	// metricType says how the value is compared. Absent means the default of the
	// scaler.
	// +optional
	// +kubebuilder:validation:Enum=AverageValue;Value;Utilization
	MetricType autoscalingv2.MetricTargetType `json:"metricType,omitempty"`

	// metadata are the settings of the scaler.
	// +required
	// +kubebuilder:validation:MaxProperties=32
	Metadata map[string]AnnotationValue `json:"metadata"`

	// authenticationRef is where the scaler gets its credentials from.
	// +optional
	AuthenticationRef *TriggerAuthenticationReference `json:"authenticationRef,omitempty"`
}

// TriggerAuthenticationReference names an authentication of KEDA.
type TriggerAuthenticationReference struct {
	// name of the object.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`

	// kind of the object. Absent means TriggerAuthentication.
	// +optional
	// +kubebuilder:validation:Enum=TriggerAuthentication;ClusterTriggerAuthentication
	Kind string `json:"kind,omitempty"`
}

// CPUTarget is the processor use that autoscaling aims at.
type CPUTarget struct {
	// averageUtilization over all pods, in percent of the cpu request.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	AverageUtilization int32 `json:"averageUtilization"`
}

// MemoryTarget is the use of memory that autoscaling aims at; exactly one
// field is set.
//
// +kubebuilder:validation:XValidation:rule="has(self.averageUtilization) != has(self.averageValue)",message="set exactly one of averageUtilization and averageValue"
type MemoryTarget struct {
	// averageUtilization over all pods, in percent of the memory request.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	AverageUtilization int32 `json:"averageUtilization,omitempty"`

	// averageValue over all pods, for example 512Mi.
	// +optional
	AverageValue *resource.Quantity `json:"averageValue,omitempty"`
}

// DisruptionMode says whether drains are limited.
// +kubebuilder:validation:Enum=Limited;Unlimited
type DisruptionMode string

// The modes of disruption.
const (
	// DisruptionLimited makes a PodDisruptionBudget.
	DisruptionLimited DisruptionMode = "Limited"
	// DisruptionUnlimited makes none.
	DisruptionUnlimited DisruptionMode = "Unlimited"
)

// Disruption is how many pods a drain of nodes may take at once.
//
// +kubebuilder:validation:XValidation:rule="!has(self.maxUnavailable) || !has(self.mode) || self.mode != 'Unlimited'",message="maxUnavailable has no meaning with mode Unlimited: remove one of them"
type Disruption struct {
	// mode Unlimited makes no PodDisruptionBudget: a drain may take all pods at
	// once. Absent means Limited.
	// +optional
	Mode DisruptionMode `json:"mode,omitempty"`

	// maxUnavailable is how many pods, or which percentage, may be missing
	// during a drain; it then also holds for a service of one pod. 0 blocks
	// drains. Absent means 1.
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=4
	// +kubebuilder:validation:Pattern=`^(100|[0-9]{1,2})%$`
	// +kubebuilder:validation:XValidation:rule="type(self) != int || (int(self) >= 0 && int(self) <= 1000)",message="must be between 0 and 1000, or a percentage"
	MaxUnavailable *intstr.IntOrString `json:"maxUnavailable,omitempty"`
}
