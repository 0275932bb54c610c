package microservice

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
)

func TestPaused(t *testing.T) {
	m := search(v1alpha1.WorkloadSpec{Paused: true})
	o := observed{microservice: m, slot: desired.SlotBlue}
	m.Status = statusOf(o, outcome{})
	if c := apimeta.FindStatusCondition(m.Status.Conditions, v1alpha1.ConditionStalled); c == nil || c.Reason != v1alpha1.ReasonPaused {
		t.Errorf("nothing runs: %v", m.Status.Conditions)
	}
	o.deployment = deployment(1, 1)
	m.Status = statusOf(o, outcome{})
	for _, kind := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionPaused} {
		if !apimeta.IsStatusConditionTrue(m.Status.Conditions, kind) {
			t.Errorf("not %s: %v", kind, m.Status.Conditions)
		}
	}
	m.Spec.Paused = false
	m.Status = statusOf(o, outcome{})
	if c := apimeta.FindStatusCondition(m.Status.Conditions, v1alpha1.ConditionPaused); c != nil {
		t.Errorf("still %v", c)
	}
}

func TestLeastAvailable(t *testing.T) {
	external := v1alpha1.WorkloadSpec{Replicas: new(int32(5)), Autoscaling: &v1alpha1.Autoscaling{Mode: v1alpha1.AutoscalingExternal}}
	fixed := func(n int32, drained *intstr.IntOrString) v1alpha1.WorkloadSpec {
		s := v1alpha1.WorkloadSpec{Replicas: new(n)}
		if drained != nil {
			s.Disruption = &v1alpha1.Disruption{MaxUnavailable: drained}
		}
		return s
	}
	cases := map[string]struct {
		spec   v1alpha1.WorkloadSpec
		wanted int32
		want   int32
	}{
		"one":                              {fixed(1, nil), 1, 1},
		"one, which a drain may take":      {fixed(1, new(intstr.FromInt32(1))), 1, 1},
		"two":                              {fixed(2, nil), 2, 1},
		"two, of which a drain takes none": {fixed(2, new(intstr.FromInt32(0))), 2, 2},
		"ten, of which a drain takes 3":    {fixed(10, new(intstr.FromInt32(3))), 10, 7},
		"ten, of which a drain takes 25%":  {fixed(10, new(intstr.FromString("25%"))), 10, 7},
		"ten, of which a drain takes all":  {fixed(10, new(intstr.FromString("100%"))), 10, 1},
		"ten, being scaled up":             {fixed(10, nil), 5, 10},
		"scaled elsewhere":                 {external, 9, 1},
		"scaled elsewhere to one":          {external, 1, 1},
		"scaled elsewhere to zero":         {external, 0, 0},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := leastAvailable(observed{microservice: search(tc.spec), deployment: deployment(tc.wanted, 0)})
			if got != tc.want {
				t.Errorf("%d, want %d", got, tc.want)
			}
		})
	}
}

// Files of an older revision go only when no pod is left that has them.
func TestOnlyWantedPods(t *testing.T) {
	spec := v1alpha1.WorkloadSpec{Files: []v1alpha1.File{{MountPath: "/a", Content: "1"}}}
	uses := func(name string) func(*appsv1.Deployment) {
		return func(d *appsv1.Deployment) {
			d.Spec.Template.Spec.Volumes = []corev1.Volume{{Name: "streamplane-files", VolumeSource: corev1.VolumeSource{
				ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: name}},
			}}}
		}
	}
	running := func(spec v1alpha1.WorkloadSpec) desired.Revision {
		return desired.RevisionOf(search(spec), desired.SlotBlue, "")
	}
	now := uses(desired.FilesInUse(running(spec).Template))
	cases := map[string]struct {
		spec       v1alpha1.WorkloadSpec
		deployment *appsv1.Deployment
		want       bool
	}{
		"no deployment":    {spec, nil, false},
		"rolled out":       {spec, deployment(2, 2, now), true},
		"older template":   {spec, deployment(2, 2, uses("search-files-1")), false},
		"no longer wanted": {v1alpha1.WorkloadSpec{}, deployment(2, 2, now), false},
		"never had any":    {v1alpha1.WorkloadSpec{}, deployment(2, 2), true},
		"not yet seen":     {spec, deployment(2, 2, now, func(d *appsv1.Deployment) { d.Generation++ }), false},
		"an older pod is left": {
			spec, deployment(2, 2, now, func(d *appsv1.Deployment) { d.Status.Replicas++ }), false,
		},
		"not all are made": {
			spec, deployment(2, 2, now, func(d *appsv1.Deployment) { d.Status.UpdatedReplicas, d.Status.Replicas = 1, 1 }), false,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := onlyWantedPods(observed{microservice: search(tc.spec), running: running(tc.spec), deployment: tc.deployment})
			if got != tc.want {
				t.Errorf("%t, want %t", got, tc.want)
			}
		})
	}
}
