package desired

import (
	"fmt"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// MigrationContainer is the name of the container that runs a migration.
const MigrationContainer = "migration"

const (
	defaultMigrationDeadlineSeconds = 600
	defaultMigrationBackoffLimit    = 3
)

// MigrationName is the name of the Job for one attempt at a revision.
func MigrationName(revision string, attempt int64) string { return Name(revision, fmt.Sprint(attempt)) }

// Migration is the Job that runs before the pods of a revision that asks for
// one. Its pod is one of the revision's that takes no traffic. Two pods of it
// never run at once.
func Migration(m *v1alpha1.Microservice, revision Revision, attempt int64) *batchv1.Job {
	m = revision.Of(m)
	how := m.Spec.Migration
	return &batchv1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: "batch/v1", Kind: "Job"},
		ObjectMeta: objectMeta(m, MigrationName(revision.Name, attempt)),
		Spec: batchv1.JobSpec{
			Template:              migrationPod(revision),
			ActiveDeadlineSeconds: new(valueOr(how.ActiveDeadlineSeconds, defaultMigrationDeadlineSeconds)),
			BackoffLimit:          new(valueOr(how.BackoffLimit, defaultMigrationBackoffLimit)),
			PodReplacementPolicy:  new(batchv1.Failed),
		},
	}
}

func valueOr[T any](value *T, absent T) T {
	if value == nil {
		return absent
	}
	return *value
}

func migrationPod(revision Revision) corev1.PodTemplateSpec {
	pod := *revision.Template.DeepCopy()
	delete(pod.Labels, LabelSlot) // it is none of those that serve
	pod.Spec.RestartPolicy = corev1.RestartPolicyNever
	pod.Spec.TopologySpreadConstraints = nil
	main := slices.IndexFunc(pod.Spec.Containers, func(c corev1.Container) bool { return c.Name == MainContainer })
	pod.Spec.Containers = []corev1.Container{migrationContainer(pod.Spec.Containers[main], *revision.Spec.Migration)}
	return pod
}

func migrationContainer(c corev1.Container, how v1alpha1.Migration) corev1.Container {
	c.Name = MigrationContainer
	c.Ports, c.Lifecycle = nil, nil
	c.StartupProbe, c.ReadinessProbe, c.LivenessProbe = nil, nil, nil
	if how.Image != "" {
		c.Image, c.Command = how.Image, nil
	}
	if len(how.Command) > 0 {
		c.Command = how.Command
	}
	c.Args = how.Args
	if how.Resources != nil {
		c.Resources = *how.Resources
	}
	return c
}

// migrationBeside refuses what a pod beside those that run cannot mount.
func migrationBeside(spec v1alpha1.WorkloadSpec) string {
	switch m := spec.Migration; {
	case m == nil:
		return ""
	case single(spec):
		return "migration: storage of kind Single is for one pod, and a migration runs beside it: use an init container instead"
	case m.Image == "" && len(m.Command) == 0 && len(m.Args) == 0:
		return "migration: set image, command or args: the service itself does not end"
	default:
		return ""
	}
}
