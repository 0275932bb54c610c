package v1alpha1

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

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
	// ConditionScalingActive says whether the autoscaler of a Microservice can
	// measure and scale it, in the autoscaler's words. It never influences
	// Ready. Polarity: normal-true. Present with an autoscaler that the operator
	// makes, native or of KEDA; with one of others only while False, because it
	// scales the Deployment instead of the Microservice.
	ConditionScalingActive = "ScalingActive"
	// ConditionSignalsActive says whether the metrics of autoscaling.signals can be
	// read from the pods. It never influences Ready. Polarity: normal-true. Set on
	// Microservice, present only with signals.
	ConditionSignalsActive = "SignalsActive"
	// ConditionPlatformFound is False when the StreamingPlatform that
	// spec.platformRef names does not exist; the service runs all the same.
	// Polarity: normal-true. Set on Microservice, present only while False.
	ConditionPlatformFound = "PlatformFound"
	// ConditionServiceNameConflict is True when another Microservice of the
	// platform has the same service name and goes before this one: the one that
	// the platform lists, else the oldest. Both keep running.
	// Polarity: abnormal-true. Set on Microservice.
	ConditionServiceNameConflict = "ServiceNameConflict"
	// ConditionMembersReady is True when all Microservices are ready that teams
	// wrote themselves and that join the platform by spec.platformRef. It never
	// influences Ready. Polarity: normal-true. Set on StreamingPlatform, absent
	// when there are none.
	ConditionMembersReady = "MembersReady"
	// ConditionOverridesUnused is True while entries of spec.services with
	// managedBy Team have other fields, which have no effect meanwhile; the
	// message names them. Polarity: abnormal-true. Set on StreamingPlatform.
	ConditionOverridesUnused = "OverridesUnused"
	// ConditionEditReverted is True after somebody changed by hand what is made
	// for the resource, and the operator set it back; the message names the field
	// to change instead. It goes after an hour, or with the next change of the
	// resource. Polarity: abnormal-true. Set on StreamingPlatform, of its
	// Microservices, and on Microservice.
	ConditionEditReverted = "EditReverted"
	// ConditionPaused is True while spec.paused keeps the operator from changing
	// what runs a service; Ready goes on to speak of its pods. Polarity:
	// abnormal-true. Set on Microservice.
	ConditionPaused = "Paused"
	// ConditionConfigResolved is False while a ConfigMap or Secret, or a key of
	// one, that pods need is missing; pods that run go on. Polarity:
	// normal-true. Set on Microservice, present only while False.
	ConditionConfigResolved = "ConfigResolved"
	// ConditionRouteReady says whether requests from outside are routed as
	// spec.expose or spec.edge asks, in the words of the Gateway or Ingress
	// controller. It never influences Ready. Polarity: normal-true. Set on
	// Microservice, and on StreamingPlatform for all of its services, absent when
	// no route is asked for.
	ConditionRouteReady = "RouteReady"
	// ConditionMonitoringReady is False while spec.metrics asks for a
	// ServiceMonitor that cannot be made; the message says what is missing. It
	// never influences Ready. Polarity: normal-true. Set on Microservice, present
	// only while False.
	ConditionMonitoringReady = "MonitoringReady"
	// ConditionCallsResolved is False while a service calls one that the
	// platform does not have; the message names the field. Absent otherwise.
	// Nothing waits for it. Polarity: normal-true. Set on StreamingPlatform.
	ConditionCallsResolved = "CallsResolved"
	// ConditionCallGraphCyclic is True while services call each other in a
	// circle; the message shows it. Nothing waits for it. Polarity:
	// abnormal-true. Set on StreamingPlatform.
	ConditionCallGraphCyclic = "CallGraphCyclic"
	// ConditionRoutesAccepted is False while the gateway cannot serve a path that
	// a service wants; the message names the field. Absent otherwise. It never
	// influences Ready. Polarity: normal-true. Set on StreamingPlatform.
	ConditionRoutesAccepted = "RoutesAccepted"
)

// abnormal lists the conditions that are True when something is not as it should
// be; the others are True when all is well.
func abnormal() []string {
	return []string{
		ConditionReconciling, ConditionStalled, ConditionServiceNameConflict, ConditionOverridesUnused,
		ConditionEditReverted, ConditionPaused, ConditionCallGraphCyclic,
	}
}

// NeedsAttention says whether a condition has another status than the one that
// its polarity calls good.
func NeedsAttention(c metav1.Condition) bool {
	good := metav1.ConditionTrue
	if slices.Contains(abnormal(), c.Type) {
		good = metav1.ConditionFalse
	}
	return c.Status != good
}

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
	// ReasonPodTemplateRejected says that spec.podTemplate or podAnnotations make
	// pods that the operator or the restricted Pod Security Standard does not
	// allow; what runs already keeps running as it is.
	ReasonPodTemplateRejected = "PodTemplateRejected"
	// ReasonPaused says that spec.paused keeps changes from being applied.
	ReasonPaused = "Paused"
	// ReasonUnknownRelease says that the operator has no images of the release.
	ReasonUnknownRelease = "UnknownRelease"
	// ReasonApplyFailed says that the API server refused or failed a write.
	ReasonApplyFailed = "ApplyFailed"
	// ReasonProgressDeadlineExceeded says that the pods of this generation did
	// not become available within rollout.progressDeadlineSeconds.
	ReasonProgressDeadlineExceeded = "ProgressDeadlineExceeded"
	// ReasonRolledBack says that the wanted revision failed and that the last
	// good one runs again; see rollout.retry.
	ReasonRolledBack = "RolledBack"
	// ReasonHeld says that the wanted revision waits: rollout.hold says for what.
	ReasonHeld = "Held"
	// ReasonMigrating says that the wanted revision waits for its migration.
	ReasonMigrating = "Migrating"
	// ReasonMigrationFailed says that the migration of the wanted revision
	// failed, so that no pod of it was started; see rollout.retry.
	ReasonMigrationFailed = "MigrationFailed"
	// ReasonReplicaFailure says that Kubernetes could not create pods (quota,
	// admission, limit ranges).
	ReasonReplicaFailure = "ReplicaFailure"
	// ReasonServiceNameConflict says that a member has the service name of
	// another Microservice of the platform.
	ReasonServiceNameConflict = "ServiceNameConflict"
	// ReasonMembersNotReady says that at least one member is not ready.
	ReasonMembersNotReady = "MembersNotReady"
	// ReasonMicroserviceMissing says that a service is handed over to a team,
	// and that there is no Microservice for it.
	ReasonMicroserviceMissing = "MicroserviceMissing"
	// ReasonManagedByTeam says that a team writes the Microservice.
	ReasonManagedByTeam = "ManagedByTeam"
	// ReasonHandedOver and ReasonTakenBack are those of events: a Microservice
	// has passed from the platform to its team, or back.
	ReasonHandedOver = "HandedOver"
	ReasonTakenBack  = "TakenBack"
	// ReasonEditedByOthers says that others changed a field of the operator.
	ReasonEditedByOthers = "EditedByOthers"
	// ReasonPlatformNotFound says that spec.platformRef names no platform.
	ReasonPlatformNotFound = "PlatformNotFound"
	// ReasonSignalsRead says that the metrics of all ready pods were read.
	ReasonSignalsRead = "SignalsRead"
	// ReasonMetricUnavailable says that a pod cannot be asked for a metric, or does
	// not serve it.
	ReasonMetricUnavailable = "MetricUnavailable"
	// ReasonNothingToDo says that a service has no pod until its source has
	// something to do for it; see autoscaling.scaleToZero.
	ReasonNothingToDo = "NothingToDo"
	// ReasonScalingUnknown says that the autoscaler has not yet reported.
	ReasonScalingUnknown = "ScalingUnknown"
	// ReasonScaledDirectly says that an autoscaler of others scales the Deployment
	// instead of the Microservice.
	ReasonScaledDirectly = "ScaledDirectly"
	// ReasonAPIMissing says that the cluster does not serve an optional API that
	// is asked for; it is used as soon as it is there.
	ReasonAPIMissing = "APIMissing"
	// ReasonRouteAccepted says that all Gateways have accepted the HTTPRoute.
	ReasonRouteAccepted = "Accepted"
	// ReasonRoutePending says that no controller has taken up the route yet.
	ReasonRoutePending = "Pending"
	// ReasonIngressReady says that the Ingress has an address.
	ReasonIngressReady = "IngressReady"
	// ReasonNoParent says that a route is asked for and nothing to attach it to.
	ReasonNoParent = "NoParent"
	// ReasonNoRoute says that spec.edge is set and no service takes it up.
	ReasonNoRoute = "NoRoute"
	// ReasonPortMissing says that metrics.port names no port of the service.
	ReasonPortMissing = "PortMissing"
	// ReasonUnknownCallee says that calls names a service that does not exist.
	ReasonUnknownCallee = "UnknownCallee"
	// ReasonRouteConflict says that two services want one path, or that there is
	// no gateway to serve it.
	ReasonRouteConflict = "RouteConflict"
	// ReasonCycle says that a service calls itself by way of others.
	ReasonCycle = "Cycle"
)

// Reasons of Ready, Reconciling and Stalled that name why pods of the newest
// version do not serve. The message names the container and what to change.
const (
	// ReasonImagePullFailed says that the image of a container cannot be pulled.
	ReasonImagePullFailed = "ImagePullFailed"
	// ReasonConfigMissing says that a Secret, a ConfigMap, or a key of one, that
	// a container needs does not exist.
	ReasonConfigMissing = "ConfigMissing"
	// ReasonCannotStart says that the node refuses to create or start a container.
	ReasonCannotStart = "CannotStart"
	// ReasonOutOfMemory says that a container was killed at its memory limit.
	ReasonOutOfMemory = "OutOfMemory"
	// ReasonCrashing says that a container ends again and again.
	ReasonCrashing = "Crashing"
	// ReasonUnschedulable says that no node takes a pod.
	ReasonUnschedulable = "Unschedulable"
	// ReasonNotReady says that a container runs, or is about to, and is not ready.
	ReasonNotReady = "NotReady"
)
