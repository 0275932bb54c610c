package v1alpha1

// Condition types. They follow the kstatus contract, which Argo CD, Flux and
// Helm understand: Ready is the summary, Reconciling and Stalled are present
// only while true (abnormal-true).
const (
	// ConditionReady is True when the pods of the observed generation serve.
	// Polarity: normal-true. Set on StreamingPlatform and Microservice.
	ConditionReady = "Ready"
	// ConditionReconciling is True while the operator or Kubernetes still
	// works towards the observed generation. Polarity: abnormal-true.
	ConditionReconciling = "Reconciling"
	// ConditionStalled is True when nothing will change until somebody acts;
	// the message names what to change. Polarity: abnormal-true.
	ConditionStalled = "Stalled"
	// ConditionCallsResolved is False while a service calls one that the
	// platform does not have; the message names the field. Absent otherwise.
	// Nothing waits for it. Polarity: normal-true. Set on StreamingPlatform.
	ConditionCallsResolved = "CallsResolved"
	// ConditionCallGraphCyclic is True while services call each other in a
	// circle; the message shows it. Nothing waits for it. Polarity:
	// abnormal-true. Set on StreamingPlatform.
	ConditionCallGraphCyclic = "CallGraphCyclic"
)

// Reasons of the conditions above.
const (
	// ReasonAvailable says that enough pods of this generation are available.
	ReasonAvailable = "Available"
	// ReasonScaledToZero says that the service is wanted with no pod at all.
	ReasonScaledToZero = "ScaledToZero"
	// ReasonProgressing says that pods of this generation are still starting.
	ReasonProgressing = "Progressing"
	// ReasonPodsUnavailable says that fewer pods are available than the least
	// number, less the one that a drain may take.
	ReasonPodsUnavailable = "PodsUnavailable"
	// ReasonServicesNotReady says that at least one listed service is not ready.
	ReasonServicesNotReady = "ServicesNotReady"
	// ReasonNameConflict says that an object of the wanted name exists and was
	// not made for this resource; it is never touched.
	ReasonNameConflict = "NameConflict"
	// ReasonInvalidSpec says that the merged specification breaks a rule; what
	// runs already keeps running as it is.
	ReasonInvalidSpec = "InvalidSpec"
	// ReasonUnknownRelease says that the operator has no images of the release.
	ReasonUnknownRelease = "UnknownRelease"
	// ReasonApplyFailed says that the API server refused or failed a write.
	ReasonApplyFailed = "ApplyFailed"
	// ReasonProgressDeadlineExceeded says that the pods of this generation did
	// not become available within rollout.progressDeadlineSeconds.
	ReasonProgressDeadlineExceeded = "ProgressDeadlineExceeded"
	// ReasonReplicaFailure says that Kubernetes could not create pods (quota,
	// admission, limit ranges).
	ReasonReplicaFailure = "ReplicaFailure"
	// ReasonUnknownCallee says that calls names a service that does not exist.
	ReasonUnknownCallee = "UnknownCallee"
	// ReasonCycle says that a service calls itself by way of others.
	ReasonCycle = "Cycle"
)
