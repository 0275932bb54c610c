package microservice

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/apply"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
)

// deployment is fully rolled out with the given numbers; changes edit it.
func deployment(wanted, available int32, changes ...func(*appsv1.Deployment)) *appsv1.Deployment {
	d := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "search-blue", Generation: 5},
		Spec:       appsv1.DeploymentSpec{Replicas: new(wanted)},
		Status: appsv1.DeploymentStatus{
			ObservedGeneration: 5, Replicas: wanted, UpdatedReplicas: wanted, AvailableReplicas: available,
			Conditions: []appsv1.DeploymentCondition{{
				Type: appsv1.DeploymentProgressing, Status: corev1.ConditionTrue, Reason: "NewReplicaSetAvailable",
			}},
		},
	}
	d.Spec.Template.Spec.Containers = []corev1.Container{{Name: desired.MainContainer, Image: "registry.test/search:1"}}
	for _, change := range changes {
		change(d)
	}
	return d
}

func progressing(status corev1.ConditionStatus, reason string) func(*appsv1.Deployment) {
	return func(d *appsv1.Deployment) {
		d.Status.Conditions[0].Status, d.Status.Conditions[0].Reason = status, reason
	}
}

func refused(status corev1.ConditionStatus) func(*appsv1.Deployment) {
	return func(d *appsv1.Deployment) {
		d.Status.Conditions = append(d.Status.Conditions, appsv1.DeploymentCondition{
			Type: appsv1.DeploymentReplicaFailure, Status: status, Message: "exceeded quota",
		})
	}
}

func search(spec v1alpha1.WorkloadSpec) *v1alpha1.Microservice {
	spec.Image = "registry.test/search:1"
	return &v1alpha1.Microservice{
		ObjectMeta: metav1.ObjectMeta{Name: "search", Namespace: "tv", Generation: 7},
		Spec: v1alpha1.MicroserviceSpec{
			PlatformRef: v1alpha1.PlatformReference{Name: "acme"}, WorkloadSpec: spec,
		},
	}
}

func TestConditions(t *testing.T) {
	conflict := &apply.ConflictError{Kind: "Service", Name: "search"}
	fixed := func(n int32) v1alpha1.WorkloadSpec { return v1alpha1.WorkloadSpec{Replicas: new(n)} }
	scaled := v1alpha1.WorkloadSpec{Autoscaling: &v1alpha1.Autoscaling{MinReplicas: 2, MaxReplicas: 9}}
	cases := map[string]struct {
		spec       v1alpha1.WorkloadSpec
		deployment *appsv1.Deployment
		did        outcome
		want       string // kind reason: message
	}{
		"available":        {fixed(2), deployment(2, 2), outcome{}, "Ready Available: 2 pods available"},
		"one is available": {fixed(1), deployment(1, 1), outcome{}, "Ready Available: 1 pod available"},
		"zero are wanted":  {fixed(0), deployment(0, 0), outcome{}, "Ready ScaledToZero: scaled to zero"},
		"zero are wanted, never rolled out": {
			fixed(0), deployment(0, 0, progressing("True", "ReplicaSetUpdated")), outcome{}, "Ready ScaledToZero: scaled to zero",
		},
		"a name is taken": {
			fixed(1), nil,
			outcome{err: errors.Join(errors.New("x"), fmt.Errorf("apply: %w", conflict))},
			"Stalled NameConflict: Service search exists and was not made for this resource: delete or rename it",
		},
		"a name is taken beside running pods": {
			fixed(1), deployment(1, 1),
			outcome{err: conflict},
			"Stalled NameConflict: Service search exists and was not made for this resource: delete or rename it",
		},
		"a write failed": {
			fixed(1), deployment(1, 1),
			outcome{err: errors.New("apply Service search: no")},
			"Reconciling ApplyFailed: apply Service search: no",
		},
		"just written":           {fixed(1), deployment(1, 1), outcome{Done: apply.Done{Writes: 1}}, "Reconciling Progressing: changes are being applied"},
		"no deployment yet":      {fixed(1), nil, outcome{}, "Reconciling Progressing: changes are being applied"},
		"older numbers":          {fixed(1), deployment(1, 1, func(d *appsv1.Deployment) { d.Generation = 6 }), outcome{}, "Reconciling Progressing: changes are being applied"},
		"pods are refused":       {fixed(2), deployment(2, 1, refused("True")), outcome{}, "Reconciling ReplicaFailure: pods cannot be created: exceeded quota"},
		"pods were refused once": {fixed(2), deployment(2, 2, refused("False")), outcome{}, "Ready Available: 2 pods available"},
		"no progress in time": {
			fixed(2), deployment(2, 2, progressing("False", "ProgressDeadlineExceeded"), func(d *appsv1.Deployment) { d.Status.UpdatedReplicas = 1 }),
			outcome{},
			"Stalled ProgressDeadlineExceeded: 1 pod of image registry.test/search:1: no progress within the deadline; look at the pods with kubectl describe",
		},
		"rolling out": {
			fixed(3), deployment(3, 3, progressing("True", "ReplicaSetUpdated"), func(d *appsv1.Deployment) { d.Status.UpdatedReplicas = 1 }),
			outcome{},
			"Reconciling Progressing: 1 of 3 pods updated, 3 available",
		},
		"one missing of a fixed number is a drain":    {fixed(3), deployment(3, 2), outcome{}, "Ready Available: 2 pods available"},
		"two missing of a fixed number":               {fixed(3), deployment(3, 1), outcome{}, "Reconciling PodsUnavailable: 1 of 3 pods available"},
		"the only one is missing":                     {fixed(1), deployment(1, 0), outcome{}, "Reconciling PodsUnavailable: 0 of 1 pod available"},
		"autoscaling up does not flap":                {scaled, deployment(9, 2), outcome{}, "Ready Available: 2 pods available"},
		"autoscaling before the first step up":        {scaled, deployment(1, 1), outcome{}, "Reconciling PodsUnavailable: 1 of 2 pods available"},
		"autoscaling with no pod":                     {scaled, deployment(2, 0), outcome{}, "Reconciling PodsUnavailable: 0 of 2 pods available"},
		"autoscaling that somebody scaled to nothing": {scaled, deployment(0, 0), outcome{}, "Reconciling PodsUnavailable: 0 of 2 pods available"},
		"replicas not yet defaulted":                  {fixed(1), deployment(1, 1, func(d *appsv1.Deployment) { d.Spec.Replicas = nil }), outcome{}, "Ready Available: 1 pod available"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := search(tc.spec)
			status := statusOf(observed{microservice: m, slot: "blue", deployment: tc.deployment}, tc.did)
			if got := read(t, status.Conditions, m.Generation); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			if status.ObservedGeneration != m.Generation {
				t.Errorf("observed generation %d", status.ObservedGeneration)
			}
		})
	}
}

// What is wrong with the pods is named only while too few of them serve.
func TestConditionsNameTheCause(t *testing.T) {
	fixed := v1alpha1.WorkloadSpec{Replicas: new(int32(2))}
	scaled := v1alpha1.WorkloadSpec{Autoscaling: &v1alpha1.Autoscaling{MinReplicas: 2, MaxReplicas: 9}}
	updating := progressing("True", "ReplicaSetUpdated")
	late := progressing("False", "ProgressDeadlineExceeded")
	crash := pod("a", withContainer(ended(1)))
	slow := pod("b", withContainer(runs))
	lonely := pod("c", unscheduledBecause("0/3 nodes are available: 3 Insufficient cpu."))
	cases := map[string]struct {
		spec       v1alpha1.WorkloadSpec
		deployment *appsv1.Deployment
		pods       []corev1.Pod
		want       string // kind reason: message
	}{
		"rolling out while the old pods serve": {
			fixed, deployment(2, 2, updating),
			[]corev1.Pod{crash},
			"Reconciling Crashing: container app ends with exit code 1; look at its logs with kubectl logs --previous",
		},
		"a start that may go well": {
			fixed, deployment(2, 1, updating), []corev1.Pod{slow}, "Reconciling Progressing: 2 of 2 pods updated, 1 available",
		},
		"no progress in time": {
			fixed, deployment(2, 2, late),
			[]corev1.Pod{slow},
			"Stalled NotReady: container app runs and is not ready; look at its logs and its startup and readiness probes",
		},
		"no progress in time, two causes": {
			fixed, deployment(2, 2, late),
			[]corev1.Pod{slow, crash},
			"Stalled Crashing: container app ends with exit code 1; look at its logs with kubectl logs --previous",
		},
		"after the rollout": {
			fixed, deployment(2, 0),
			[]corev1.Pod{slow},
			"Reconciling NotReady: container app runs and is not ready; look at its logs and its startup and readiness probes",
		},
		"one bad pod of enough":            {fixed, deployment(2, 2), []corev1.Pod{crash}, "Ready Available: 2 pods available"},
		"autoscaling up without room":      {scaled, deployment(9, 2), []corev1.Pod{lonely}, "Ready Available: 2 pods available"},
		"scaled to zero with a last crash": {v1alpha1.WorkloadSpec{Replicas: new(int32(0))}, deployment(0, 0, updating), []corev1.Pod{crash}, "Ready ScaledToZero: scaled to zero"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := search(tc.spec)
			status := statusOf(observed{microservice: m, slot: "blue", deployment: tc.deployment, pods: tc.pods}, outcome{})
			if got := read(t, status.Conditions, m.Generation); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

// other reads a condition beside the summary, "" when it is absent.
func other(all []metav1.Condition, kind string) string {
	c := apimeta.FindStatusCondition(all, kind)
	if c == nil {
		return ""
	}
	return string(c.Status) + " " + c.Reason + ": " + c.Message
}

// What is wrong around a service is said beside Ready, for as long as it is so.
func TestConditionsBesideReady(t *testing.T) {
	cases := map[string]struct {
		kind   string
		around observed
		want   string
	}{
		"the platform is missing": {
			v1alpha1.ConditionPlatformFound,
			observed{platformMissing: true},
			"False PlatformNotFound: there is no StreamingPlatform acme in namespace tv: create it, or correct " +
				"spec.platformRef.name; the service runs without it",
		},
		"another one has the name": {
			v1alpha1.ConditionServiceNameConflict,
			observed{servedBy: "acme-search"},
			"True ServiceNameConflict: service search of platform acme is Microservice acme-search: remove that one, or make " +
				"this one again with another spec.serviceName; both run meanwhile",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := search(v1alpha1.WorkloadSpec{})
			o := tc.around
			o.microservice, o.slot, o.deployment = m, "blue", deployment(1, 1)
			m.Status = statusOf(o, outcome{})
			if got := other(m.Status.Conditions, tc.kind); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			if got := read(t, m.Status.Conditions, m.Generation); got != "Ready Available: 1 pod available" {
				t.Errorf("it changed %s", got)
			}
			status := statusOf(observed{microservice: m, slot: "blue", deployment: deployment(1, 1)}, outcome{})
			if got := other(status.Conditions, tc.kind); got != "" {
				t.Errorf("it stays: %s", got)
			}
		})
	}
}

func TestScalingActive(t *testing.T) {
	scaled := v1alpha1.WorkloadSpec{Autoscaling: &v1alpha1.Autoscaling{MinReplicas: 2, MaxReplicas: 9}}
	says := func(kind, status, reason, message string) autoscalingv2.HorizontalPodAutoscalerCondition {
		return autoscalingv2.HorizontalPodAutoscalerCondition{
			Type:   autoscalingv2.HorizontalPodAutoscalerConditionType(kind),
			Status: corev1.ConditionStatus(status), Reason: reason, Message: message,
		}
	}
	able := says("AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size")
	active := says("ScalingActive", "True", "ValidMetricFound", "the HPA was able to calculate")
	limited := says("ScalingLimited", "True", "TooFewReplicas", "the desired replica count is less than the minimum")
	blind := says("ScalingActive", "False", "FailedGetResourceMetric", "no metrics returned from resource metrics API")
	unable := says("AbleToScale", "False", "FailedGetScale", "the HPA controller was unable to get the target's current scale")
	named := says("ScalingActive", "False", "FailedGetContainerResourceMetric", "missing request for cpu in container app of Pod search-blue-5d8-x7k2p")
	cases := map[string]struct {
		spec v1alpha1.WorkloadSpec
		// missing says that there is no autoscaler.
		missing bool
		says    []autoscalingv2.HorizontalPodAutoscalerCondition
		want    string
	}{
		"fixed":          {v1alpha1.WorkloadSpec{}, true, nil, ""},
		"external":       {v1alpha1.WorkloadSpec{Replicas: new(int32(2)), Autoscaling: &v1alpha1.Autoscaling{Mode: v1alpha1.AutoscalingExternal}}, true, nil, ""},
		"no autoscaler":  {scaled, true, nil, "Unknown ScalingUnknown: the autoscaler has not reported yet"},
		"nothing said":   {scaled, false, nil, "Unknown ScalingUnknown: the autoscaler has not reported yet"},
		"well":           {scaled, false, []autoscalingv2.HorizontalPodAutoscalerCondition{able, active, limited}, "True ValidMetricFound: the HPA was able to calculate"},
		"no metrics":     {scaled, false, []autoscalingv2.HorizontalPodAutoscalerCondition{able, blind}, "False FailedGetResourceMetric: no metrics returned from resource metrics API"},
		"cannot scale":   {scaled, false, []autoscalingv2.HorizontalPodAutoscalerCondition{unable}, "False FailedGetScale: the HPA controller was unable to get the target's current scale"},
		"only able":      {scaled, false, []autoscalingv2.HorizontalPodAutoscalerCondition{able}, "Unknown ScalingUnknown: the autoscaler has not reported yet"},
		"both":           {scaled, false, []autoscalingv2.HorizontalPodAutoscalerCondition{unable, blind}, "False FailedGetResourceMetric: no metrics returned from resource metrics API"},
		"a pod is named": {scaled, false, []autoscalingv2.HorizontalPodAutoscalerCondition{named}, "False FailedGetContainerResourceMetric: missing request for cpu in container app"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := observed{microservice: search(tc.spec), slot: "blue", deployment: deployment(2, 2)}
			if !tc.missing {
				o.autoscaler = &autoscalingv2.HorizontalPodAutoscaler{Status: autoscalingv2.HorizontalPodAutoscalerStatus{Conditions: tc.says}}
			}
			status := statusOf(o, outcome{})
			if got := other(status.Conditions, v1alpha1.ConditionScalingActive); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			if got := read(t, status.Conditions, 7); got != "Ready Available: 2 pods available" {
				t.Errorf("Ready reads %s", got)
			}
			o.microservice.Status = status
			o.microservice.Spec.Autoscaling = nil
			status = statusOf(o, outcome{})
			if got := other(status.Conditions, v1alpha1.ConditionScalingActive); got != "" {
				t.Errorf("without autoscaling: %s", got)
			}
		})
	}
}

// read checks the rules of kstatus and returns the summary.
func read(t *testing.T, all []metav1.Condition, generation int64) string {
	t.Helper()
	ready := apimeta.FindStatusCondition(all, v1alpha1.ConditionReady)
	if ready == nil {
		t.Fatal("no Ready condition")
	}
	kind := v1alpha1.ConditionReady
	for _, c := range all {
		if c.ObservedGeneration != generation {
			t.Errorf("%s speaks of generation %d", c.Type, c.ObservedGeneration)
		}
		if c.Type != v1alpha1.ConditionReconciling && c.Type != v1alpha1.ConditionStalled {
			continue
		}
		if kind != v1alpha1.ConditionReady {
			t.Errorf("both %s and %s", kind, c.Type)
		}
		kind = c.Type
		if c.Status != metav1.ConditionTrue || c.Reason != ready.Reason || c.Message != ready.Message {
			t.Errorf("%s contradicts Ready: %v, %v", c.Type, c, ready)
		}
	}
	if (ready.Status == metav1.ConditionTrue) != (kind == v1alpha1.ConditionReady) {
		t.Errorf("Ready=%s with %s", ready.Status, kind)
	}
	return kind + " " + ready.Reason + ": " + ready.Message
}

func TestStatusFields(t *testing.T) {
	m := search(v1alpha1.WorkloadSpec{Replicas: new(int32(3))})
	m.Spec.ServiceName = "finder"
	o := observed{microservice: m, slot: "blue", deployment: deployment(3, 2), images: []string{"search@sha256:1"}}
	got := statusOf(o, outcome{})
	got.Conditions = nil
	want := v1alpha1.MicroserviceStatus{
		ObservedGeneration: 7,
		Replicas:           3,
		Selector:           "app.kubernetes.io/instance=search,app.kubernetes.io/name=finder,streamplane.dev/slot=blue",
		Pods:               "2/3",
		StableSlot:         "blue",
		Slots:              []v1alpha1.SlotStatus{{Name: "blue", ImageIDs: []string{"search@sha256:1"}}},
		Address:            "http://search.tv.svc:8080",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	gone := statusOf(observed{microservice: m, slot: "blue"}, outcome{})
	if gone.Replicas != 0 || gone.Pods != "0/0" || len(gone.Slots) > 0 {
		t.Errorf("without a deployment: %d replicas, pods %s, slots %v", gone.Replicas, gone.Pods, gone.Slots)
	}
}

// A status that shared its conditions with the old one would give an empty patch.
func TestStatusLeavesTheMicroserviceAlone(t *testing.T) {
	m := search(v1alpha1.WorkloadSpec{})
	m.Status = statusOf(observed{microservice: m, slot: "blue"}, outcome{})
	before := m.DeepCopy()
	after := statusOf(observed{microservice: m, slot: "blue", deployment: deployment(1, 1)}, outcome{})
	if diff := cmp.Diff(before, m); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
	if cmp.Equal(before.Status, after) {
		t.Error("the status did not change")
	}
}
