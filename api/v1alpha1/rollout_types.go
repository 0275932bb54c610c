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
