package operator

import (
	"context"
	"errors"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// autoscaler is the name under which the autoscaler writes.
const autoscaler = "kube-controller-manager"

const (
	// badImage is the tag of images whose pods never get ready.
	badImage = ":bad"
	// slowImage is the tag of images of Jobs that do not end by themselves.
	slowImage = ":slow"
)

// playControllers does what the controllers of a cluster do, where all is well
// and idle: every Deployment of the namespace is scaled to the least number of
// its autoscaler and fully available, every Job is done, but pods of a bad image
// never start.
func (w *world) playControllers() {
	w.Helper()
	ctx := context.WithoutCancel(w.Context())
	w.follow(&appsv1.DeploymentList{}, func(object runtime.Object) error {
		d, ok := object.(*appsv1.Deployment)
		if !ok {
			return nil
		}
		return errors.Join(w.scaleUp(ctx, d), w.rollOut(ctx, d))
	})
	w.playJobs()
	w.follow(&autoscalingv2.HorizontalPodAutoscalerList{}, func(object runtime.Object) error {
		hpa, ok := object.(*autoscalingv2.HorizontalPodAutoscaler)
		if !ok {
			return nil
		}
		d := &appsv1.Deployment{}
		if err := w.client.Get(ctx, client.ObjectKeyFromObject(hpa), d); err != nil {
			return client.IgnoreNotFound(err)
		}
		return w.scaleUp(ctx, d)
	})
}

// playJobs ends every Job, and collects those that are deleted.
func (w *world) playJobs() {
	w.Helper()
	ctx := context.WithoutCancel(w.Context())
	w.follow(&batchv1.JobList{}, func(object runtime.Object) error {
		job, ok := object.(*batchv1.Job)
		if !ok {
			return nil
		}
		image := job.Spec.Template.Spec.Containers[0].Image
		switch {
		case !job.DeletionTimestamp.IsZero():
			job.Finalizers = nil
			return ignoreSuperseded(client.IgnoreNotFound(w.client.Update(ctx, job)))
		case len(job.Status.Conditions) > 0 || strings.HasSuffix(image, slowImage):
			return nil
		case strings.HasSuffix(image, badImage):
			return w.end(ctx, job, batchv1.JobFailureTarget, batchv1.JobFailed, batchv1.JobReasonBackoffLimitExceeded)
		default:
			return w.end(ctx, job, batchv1.JobSuccessCriteriaMet, batchv1.JobComplete, "")
		}
	})
}

// end writes the status that a Job has when it has ended.
func (w *world) end(ctx context.Context, job *batchv1.Job, before, after batchv1.JobConditionType, reason string) error {
	now := metav1.Now()
	job.Status.StartTime = &now
	for _, kind := range []batchv1.JobConditionType{before, after} {
		job.Status.Conditions = append(job.Status.Conditions, batchv1.JobCondition{
			Type: kind, Status: corev1.ConditionTrue, Reason: reason, LastProbeTime: now, LastTransitionTime: now,
		})
	}
	if after == batchv1.JobComplete {
		job.Status.CompletionTime, job.Status.Succeeded = &now, 1
	}
	return ignoreSuperseded(client.IgnoreNotFound(w.client.Status().Update(ctx, job)))
}

// follow does something about every change of a kind until the test ends.
func (w *world) follow(kind client.ObjectList, do func(runtime.Object) error) {
	w.Helper()
	changes, err := w.client.Watch(w.Context(), kind, client.InNamespace(w.namespace))
	if err != nil {
		w.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		var errs []error
		for event := range changes.ResultChan() {
			if event.Type == watch.Added || event.Type == watch.Modified {
				errs = append(errs, do(event.Object))
			}
		}
		done <- errors.Join(errs...)
	}()
	w.Cleanup(func() {
		changes.Stop()
		if err := <-done; err != nil {
			w.Error(err)
		}
	})
}

// scaleUp keeps the least number of pods of a Deployment that is autoscaled.
func (w *world) scaleUp(ctx context.Context, d *appsv1.Deployment) error {
	hpa := &autoscalingv2.HorizontalPodAutoscaler{}
	err := w.client.Get(ctx, client.ObjectKeyFromObject(d), hpa)
	if err != nil || *d.Spec.Replicas == 0 || *d.Spec.Replicas >= *hpa.Spec.MinReplicas {
		return client.IgnoreNotFound(err) // zero switches the autoscaler off
	}
	return w.scale(ctx, d, *hpa.Spec.MinReplicas)
}

// scale writes the number of pods as an autoscaler does.
func (w *world) scale(ctx context.Context, d *appsv1.Deployment, replicas int32) error {
	scale := &autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: replicas}}
	err := w.client.SubResource("scale").Update(ctx, d.DeepCopy(),
		client.WithSubResourceBody(scale), client.FieldOwner(autoscaler))
	return ignoreSuperseded(err)
}

// rollOut writes the status that a Deployment has when it is done.
func (w *world) rollOut(ctx context.Context, d *appsv1.Deployment) error {
	if d.Status.ObservedGeneration == d.Generation {
		return nil
	}
	n := *d.Spec.Replicas
	d = d.DeepCopy()
	if strings.HasSuffix(d.Spec.Template.Spec.Containers[0].Image, badImage) {
		d.Status.ObservedGeneration, d.Status.UpdatedReplicas = d.Generation, 1
		d.Status.Conditions = []appsv1.DeploymentCondition{
			{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: "ProgressDeadlineExceeded"},
		}
		return ignoreSuperseded(w.client.Status().Update(ctx, d))
	}
	d.Status = appsv1.DeploymentStatus{
		ObservedGeneration: d.Generation, Replicas: n, UpdatedReplicas: n, ReadyReplicas: n, AvailableReplicas: n,
		Conditions: []appsv1.DeploymentCondition{
			{Type: appsv1.DeploymentAvailable, Status: corev1.ConditionTrue, Reason: "MinimumReplicasAvailable"},
			{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionTrue, Reason: "NewReplicaSetAvailable"},
		},
	}
	return ignoreSuperseded(w.client.Status().Update(ctx, d))
}

// ignoreSuperseded drops the errors that say that another change is on its way.
func ignoreSuperseded(err error) error {
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
