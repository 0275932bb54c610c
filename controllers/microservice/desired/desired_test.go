package desired

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	psaapi "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/internal/golden"
)

func read(t *testing.T, file string) *v1alpha1.Microservice {
	t.Helper()
	m := &v1alpha1.Microservice{}
	golden.Read(t, file, m)
	return m
}

// objects are those of a service that runs what it asks for, after the first
// attempt at its migration.
func objects(m *v1alpha1.Microservice) []client.Object {
	revision := RevisionOf(m, SlotBlue, "")
	all := Objects(m, SlotBlue, revision, "")
	if m.Spec.Migration != nil {
		all = append(all, Migration(m, revision, 1))
	}
	return all
}

func TestObjects(t *testing.T) {
	for name, file := range golden.Inputs(t, "testdata") {
		t.Run(name, func(t *testing.T) {
			var all []runtime.Object
			m := read(t, file)
			for _, object := range append(Claims(m), objects(m)...) {
				all = append(all, object)
			}
			golden.Compare(t, "testdata/"+name+golden.Suffix, golden.YAML(t, all...))
		})
	}
}

func TestPodsAreRestricted(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	level := psaapi.LevelVersion{Level: psaapi.LevelRestricted, Version: psaapi.LatestVersion()}
	for name, file := range golden.Inputs(t, "testdata") {
		t.Run(name, func(t *testing.T) {
			m, pods := read(t, file), 0
			for _, object := range objects(m) {
				template := templateOf(object)
				if template == nil {
					continue
				}
				pods++
				for _, result := range evaluator.EvaluatePod(level, &template.ObjectMeta, &template.Spec) {
					if !result.Allowed {
						t.Errorf("%s: %s: %s", object.GetName(), result.ForbiddenReason, result.ForbiddenDetail)
					}
				}
			}
			want := 1
			if m.Spec.Migration != nil {
				want++
			}
			if pods != want {
				t.Errorf("%d pod templates, want %d", pods, want)
			}
		})
	}
}

// templateOf is nil for what makes no pods.
func templateOf(object client.Object) *corev1.PodTemplateSpec {
	switch o := object.(type) {
	case *appsv1.Deployment:
		return &o.Spec.Template
	case *batchv1.Job:
		return &o.Spec.Template
	default:
		return nil
	}
}

// Objects must not share memory with the Microservice or with each other: the
// caller edits them.
func TestObjectsLeaveTheMicroserviceAlone(t *testing.T) {
	m := read(t, "testdata/everything.yaml")
	before := m.DeepCopy()
	for _, object := range objects(m) {
		labels := object.GetLabels()
		for key := range labels {
			labels[key] = "changed"
		}
		object.SetName("changed")
	}
	if diff := cmp.Diff(before, m); diff != "" {
		t.Errorf("changed (-before +after):\n%s", diff)
	}
}

func TestMinReplicas(t *testing.T) {
	cases := map[string]struct {
		spec v1alpha1.WorkloadSpec
		want int32
	}{
		"nothing set":            {v1alpha1.WorkloadSpec{}, 1},
		"fixed":                  {v1alpha1.WorkloadSpec{Replicas: new(int32(4))}, 4},
		"fixed at zero":          {v1alpha1.WorkloadSpec{Replicas: new(int32(0))}, 0},
		"bounded by autoscaling": {v1alpha1.WorkloadSpec{Autoscaling: &v1alpha1.Autoscaling{MinReplicas: 3, MaxReplicas: 9}}, 3},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := &v1alpha1.Microservice{Spec: v1alpha1.MicroserviceSpec{WorkloadSpec: tc.spec}}
			if got := MinReplicas(m); got != tc.want {
				t.Errorf("%d, want %d", got, tc.want)
			}
		})
	}
}
