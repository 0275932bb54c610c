package v1alpha1

import "k8s.io/apimachinery/pkg/util/intstr"

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

	// progressDeadlineSeconds without progress after which a revision counts as
	// failed, and the last good one returns. Absent means 600.
	// +optional
	// +kubebuilder:validation:Minimum=10
	// +kubebuilder:validation:Maximum=86400
	ProgressDeadlineSeconds *int32 `json:"progressDeadlineSeconds,omitempty"`

	// historyLimit is how many older revisions are remembered, as
	// ControllerRevisions, beside the one that runs, the wanted one and the last
	// good one. Absent means 3.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=20
	HistoryLimit *int32 `json:"historyLimit,omitempty"`

	// hold keeps a new revision from starting and says why, for example that
	// another service goes first. Scaling, repairs and going back to an earlier
	// revision do not wait, and neither does the first start. Absent means that
	// nothing waits.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	Hold string `json:"hold,omitempty"`

	// retry is any text, such as a number or a time; another one than before
	// gives a revision that failed one more try.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Retry string `json:"retry,omitempty"`
}

// RolloutOrder says which of several services with a new version goes first.
// +kubebuilder:validation:Enum=CalleesFirst;None
type RolloutOrder string

// The orders of a rollout.
const (
	// OrderCalleesFirst lets a service wait for those that it calls.
	OrderCalleesFirst RolloutOrder = "CalleesFirst"
	// OrderNone lets no service wait for another.
	OrderNone RolloutOrder = "None"
)

// RolloutFailure says what the failure of one service does to others that wait.
// +kubebuilder:validation:Enum=Continue;Stop
type RolloutFailure string

// What a failure does.
const (
	// FailureContinue lets the others go on.
	FailureContinue RolloutFailure = "Continue"
	// FailureStop keeps them waiting until the failed one is mended.
	FailureStop RolloutFailure = "Stop"
)

// PlatformRollout is how new versions of several services follow one another.
type PlatformRollout struct {
	// order CalleesFirst lets a service with a new version wait until those that
	// it calls, directly or by way of others, have rolled theirs. Services that
	// call each other in a circle do not wait for each other. Absent means
	// CalleesFirst.
	// +optional
	Order RolloutOrder `json:"order,omitempty"`

	// maxConcurrent is how many services may roll at the same time. Absent means
	// all that the order allows.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=50
	MaxConcurrent *int32 `json:"maxConcurrent,omitempty"`

	// onFailure says what happens to services that wait when a new version of
	// another one fails: with Continue they go on, with Stop they wait until it
	// is mended. Absent means Continue.
	// +optional
	OnFailure RolloutFailure `json:"onFailure,omitempty"`
}
