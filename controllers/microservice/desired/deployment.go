package desired

import (
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

const (
	defaultProgressDeadlineSeconds = 600
	revisionHistoryLimit           = 5
	// minReadySeconds keeps a pod that crashes right after its first ready
	// probe from counting as available.
	minReadySeconds = 2
)

// deployment runs the pods of one slot. It leaves replicas unset when an
// autoscaler owns them: server-side apply then never resets the scale.
func deployment(m *v1alpha1.Microservice, slot string, revision Revision, baseline string) *appsv1.Deployment {
	d := &appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: slotMeta(m, slot),
		Spec: appsv1.DeploymentSpec{
			Replicas:                replicas(m),
			Selector:                &metav1.LabelSelector{MatchLabels: SlotSelector(m, slot)},
			Template:                *revision.Template.DeepCopy(),
			Strategy:                strategy(m.Spec.WorkloadSpec),
			MinReadySeconds:         minReadySeconds,
			RevisionHistoryLimit:    new(int32(revisionHistoryLimit)),
			ProgressDeadlineSeconds: progressDeadline(m.Spec.Rollout),
		},
	}
	annotate(&d.Annotations, AnnotationRevision, revision.Name)
	annotate(&d.Annotations, AnnotationConfigBaseline, baseline)
	return d
}

func replicas(m *v1alpha1.Microservice) *int32 {
	if m.Spec.Autoscaling != nil {
		return nil
	}
	return new(MinReplicas(m))
}

func strategy(spec v1alpha1.WorkloadSpec) appsv1.DeploymentStrategy {
	if single(spec) {
		return appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType}
	}
	r := spec.Rollout
	rolling := appsv1.RollingUpdateDeployment{
		MaxSurge:       new(intstr.FromInt32(1)),
		MaxUnavailable: new(intstr.FromInt32(0)),
	}
	if r != nil && r.MaxSurge != nil {
		rolling.MaxSurge = r.MaxSurge
	}
	if r != nil && r.MaxUnavailable != nil {
		rolling.MaxUnavailable = r.MaxUnavailable
	}
	return appsv1.DeploymentStrategy{Type: appsv1.RollingUpdateDeploymentStrategyType, RollingUpdate: &rolling}
}

func progressDeadline(r *v1alpha1.Rollout) *int32 {
	if r != nil && r.ProgressDeadlineSeconds != nil {
		return r.ProgressDeadlineSeconds
	}
	return new(int32(defaultProgressDeadlineSeconds))
}
