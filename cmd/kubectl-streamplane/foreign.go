package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/apply"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
)

// foreign is a Deployment whose name or selector is not the operator's. Its pods
// pass to a Deployment that is: they get the labels that it selects by, and a
// ReplicaSet of the same pods that it takes for its own newest one.
type foreign struct {
	// running is the only ReplicaSet with pods, and older are the others.
	running appsv1.ReplicaSet
	older   []appsv1.ReplicaSet
	// autoscalers have the Deployment as their target.
	autoscalers []autoscalingv2.HorizontalPodAutoscaler
}

// foreignNames are those of the Microservice and its service: as the pods are labelled,
// because Services may select by that, or else after the Deployment.
func foreignNames(d *appsv1.Deployment, platform, microservice, service string) (string, string) {
	had := d.Spec.Template.Labels
	service = cmp.Or(service, had[desired.LabelName], d.Name)
	return cmp.Or(microservice, had[desired.LabelInstance], desired.Name(platform, service)), service
}

// readForeign looks at what belongs to a Deployment, and refuses one that is on
// its way.
func (a *adopter) readForeign(ctx context.Context) error {
	d := a.live.deployment
	a.foreign = &foreign{}
	sets := &appsv1.ReplicaSetList{}
	if err := a.cluster.List(ctx, sets, client.InNamespace(d.Namespace)); err != nil {
		return fmt.Errorf("list replicasets: %w", err)
	}
	running := 0
	for _, s := range sets.Items {
		switch {
		case !metav1.IsControlledBy(&s, d):
		case s.Status.Replicas > 0 || s.Spec.Replicas != nil && *s.Spec.Replicas > 0:
			a.foreign.running = s
			running++
		default:
			a.foreign.older = append(a.foreign.older, s)
		}
	}
	if running != 1 || d.Spec.Paused || d.Status.ObservedGeneration < d.Generation || d.Status.UpdatedReplicas != d.Status.Replicas ||
		d.Status.AvailableReplicas != *d.Spec.Replicas {
		return fmt.Errorf("deployment %s is on its way, or has no pods: adopt it when all of its pods are of one version and available", d.Name)
	}
	hpas := &autoscalingv2.HorizontalPodAutoscalerList{}
	if err := a.cluster.List(ctx, hpas, client.InNamespace(d.Namespace)); err != nil {
		return fmt.Errorf("list autoscalers: %w", err)
	}
	for _, hpa := range hpas.Items {
		if to := hpa.Spec.ScaleTargetRef; to.Kind == "Deployment" && to.Name == d.Name {
			a.foreign.autoscalers = append(a.foreign.autoscalers, hpa)
			a.live.autoscaler = &hpa
		}
	}
	return nil
}

// template is what the pods have, with the labels that the operator needs.
func (a *adopter) template(m *v1alpha1.Microservice) corev1.PodTemplateSpec {
	t := *a.live.deployment.Spec.Template.DeepCopy()
	if t.Labels == nil {
		t.Labels = map[string]string{}
	}
	maps.Copy(t.Labels, desired.OwnPodLabels(m, desired.SlotBlue))
	return t
}

// revision is the one that the pods are of, although the operator would render
// another pod of the specification: what is stored is not rendered again.
func (a *adopter) revision(m *v1alpha1.Microservice) desired.Revision {
	if a.foreign == nil {
		return desired.RevisionOf(m, desired.SlotBlue, desired.ConfigOf(a.live.deployment, "").Stamp)
	}
	r := desired.RevisionOf(m, desired.SlotBlue, "")
	r.Template = a.template(m)
	return r
}

// checkForeign refuses pods that the operator may not write, and labels that
// would take pods away from a Service.
func (a *adopter) checkForeign(ctx context.Context, m *v1alpha1.Microservice) error {
	d, was, is := a.live.deployment, a.live.deployment.Spec.Template, a.template(m)
	if detail := desired.Insecure(is); detail != "" {
		return fmt.Errorf("deployment %s: its pods break the restricted Pod Security Standard, and the operator writes no others: %s", d.Name, detail)
	}
	taken := &appsv1.Deployment{}
	err := a.cluster.Get(ctx, client.ObjectKey{Namespace: d.Namespace, Name: desired.Name(m.Name, desired.SlotBlue)}, taken)
	if !apierrors.IsNotFound(err) {
		return errors.Join(fmt.Errorf("deployment %s exists: choose another name with --name", desired.Name(m.Name, desired.SlotBlue)), err)
	}
	services := &corev1.ServiceList{}
	if err := a.cluster.List(ctx, services, client.InNamespace(d.Namespace)); err != nil {
		return fmt.Errorf("list services: %w", err)
	}
	for _, s := range services.Items {
		selects := labels.SelectorFromSet(s.Spec.Selector)
		if len(s.Spec.Selector) > 0 && selects.Matches(labels.Set(was.Labels)) && !selects.Matches(labels.Set(is.Labels)) {
			return fmt.Errorf("service %s selects pods by %s, which the labels of Microservice %s change: choose --name and --service that fit", s.Name, selects, m.Name)
		}
	}
	return nil
}

// next says what the first change of the specification would change beside, by
// the API server's answer to a dry-run.
func (a *adopter) next(ctx context.Context, m *v1alpha1.Microservice) error {
	was, err := apply.Content(&appsv1.Deployment{Spec: appsv1.DeploymentSpec{Template: a.template(m)}})
	if err != nil {
		return err
	}
	d, err := deploymentOf(desired.Objects(m, desired.SlotBlue, desired.RevisionOf(m, desired.SlotBlue, ""), ""))
	if err != nil {
		return err
	}
	is, err := apply.Content(d)
	if err != nil {
		return err
	}
	err = a.cluster.Apply(ctx, client.ApplyConfigurationFromUnstructured(is), client.FieldOwner(apply.FieldManager), client.DryRunAll)
	if err != nil {
		return fmt.Errorf("ask for deployment %s: %w", d.Name, err)
	}
	if fields := templateDifferences(was, is); len(fields) > 0 {
		_, err = fmt.Fprintf(a.out, "pods stay as they are until the specification changes; then also:\n  %s\n", strings.Join(fields, "\n  "))
	}
	return err
}

// deploymentOf finds the Deployment among objects.
func deploymentOf(objects []client.Object) (*appsv1.Deployment, error) {
	for _, object := range objects {
		if d, ok := object.(*appsv1.Deployment); ok {
			return d, nil
		}
	}
	return nil, errors.New("there is no Deployment among what the operator makes")
}

// takeOver gives the pods to a new Deployment of the Microservice. They are
// without a controller only between two requests.
func (a *adopter) takeOver(ctx context.Context, m *v1alpha1.Microservice) error {
	r := a.revision(m)
	stored := r.Object(m, firstAttempt)
	stored.OwnerReferences = []metav1.OwnerReference{ownedBy(m)}
	if err := a.cluster.Create(ctx, stored, client.FieldOwner(apply.FieldManager)); err != nil {
		return fmt.Errorf("store revision %s: %w", stored.Name, err)
	}
	if err := a.label(ctx, r.Template.Labels); err != nil {
		return err
	}
	d := a.live.deployment
	e := ejector{planner: a.planner, timeout: a.timeout, progress: a.out}
	if err := e.orphan(ctx, d.DeepCopy(), "deployment "+d.Name); err != nil {
		return err
	}
	back := fmt.Sprintf("the pods of deployment %s run on; your manifest of it, applied again, takes them back", d.Name)
	if err := a.replaceSet(ctx, e, m, r.Template); err != nil {
		return fmt.Errorf("%w; %s", err, back)
	}
	if err := a.makeDeployment(ctx, m, r); err != nil {
		return fmt.Errorf("%w; %s", err, back)
	}
	for _, s := range a.foreign.older {
		if err := a.cluster.Delete(ctx, &s); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("delete replicaset %s: %w", s.Name, err)
		}
	}
	return nil
}

// label gives the pods the labels that the new ReplicaSet finds them by.
func (a *adopter) label(ctx context.Context, wanted map[string]string) error {
	list := &corev1.PodList{}
	if err := a.cluster.List(ctx, list, client.InNamespace(a.live.deployment.Namespace)); err != nil {
		return fmt.Errorf("list pods: %w", err)
	}
	for i := range list.Items {
		p := &list.Items[i]
		if !metav1.IsControlledBy(p, &a.foreign.running) {
			continue
		}
		before := p.DeepCopy()
		maps.Copy(p.Labels, wanted)
		if err := a.cluster.Patch(ctx, p, client.MergeFrom(before), client.FieldOwner(fieldManager)); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("label pod %s: %w", p.Name, err)
		}
	}
	return nil
}

// replaceSet puts a ReplicaSet with the operator's labels in the place of the one
// that runs. The hash stays, because pods have it.
func (a *adopter) replaceSet(ctx context.Context, e ejector, m *v1alpha1.Microservice, template corev1.PodTemplateSpec) error {
	const label = appsv1.DefaultDeploymentUniqueLabelKey
	was := a.foreign.running
	hash := was.Labels[label]
	selector := desired.SlotSelector(m, desired.SlotBlue)
	selector[label] = hash
	set := &appsv1.ReplicaSet{Spec: appsv1.ReplicaSetSpec{
		Replicas: was.Spec.Replicas, MinReadySeconds: was.Spec.MinReadySeconds,
		Selector: &metav1.LabelSelector{MatchLabels: selector}, Template: *template.DeepCopy(),
	}}
	set.Spec.Template.Labels[label] = hash
	set.Name, set.Namespace, set.Labels = desired.Name(m.Name, desired.SlotBlue)+"-"+hash, m.Namespace, set.Spec.Template.Labels
	if err := a.cluster.Create(ctx, set.DeepCopy(), client.DryRunAll); err != nil { // before anything is taken away
		return fmt.Errorf("make replicaset %s: %w", set.Name, err)
	}
	if err := e.orphan(ctx, was.DeepCopy(), "replicaset "+was.Name); err != nil {
		return err
	}
	err := a.cluster.Create(ctx, set, client.FieldOwner(fieldManager))
	if err == nil {
		return nil
	}
	again := &appsv1.ReplicaSet{Spec: was.Spec}
	again.Name, again.Namespace, again.Labels, again.Annotations = was.Name, was.Namespace, was.Labels, was.Annotations
	return errors.Join(fmt.Errorf("make replicaset %s: %w", set.Name, err), a.cluster.Create(ctx, again))
}

// makeDeployment applies what the operator will find as its own, with as many
// pods as there are, and waits until it has taken them.
func (a *adopter) makeDeployment(ctx context.Context, m *v1alpha1.Microservice, r desired.Revision) error {
	d, err := deploymentOf(a.objects(m))
	if err != nil {
		return err
	}
	d.Spec.Replicas, d.OwnerReferences = a.foreign.running.Spec.Replicas, []metav1.OwnerReference{ownedBy(m)}
	content, err := apply.Content(d)
	if err != nil {
		return err
	}
	err = a.cluster.Apply(ctx, client.ApplyConfigurationFromUnstructured(content), client.FieldOwner(apply.FieldManager))
	if err != nil {
		return fmt.Errorf("make deployment %s: %w", d.Name, err)
	}
	return until(ctx, a.timeout, "deployment "+d.Name+" takes the pods of revision "+r.Name, func(ctx context.Context) (bool, error) {
		err := a.cluster.Get(ctx, client.ObjectKeyFromObject(d), d)
		return err == nil && d.Status.ObservedGeneration == d.Generation && d.Status.UpdatedReplicas == *d.Spec.Replicas &&
			d.Status.Replicas == *d.Spec.Replicas && d.Status.AvailableReplicas == *d.Spec.Replicas, err
	})
}

func ownedBy(m *v1alpha1.Microservice) metav1.OwnerReference {
	reference := metav1.NewControllerRef(m, v1alpha1.GroupVersion.WithKind("Microservice"))
	reference.BlockOwnerDeletion = new(false)
	return *reference
}
