package microservice

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
)

// instanceIndex finds the pods of a Microservice in the cache.
const instanceIndex = "metadata.labels.instance"

func indexPods(ctx context.Context, indexer client.FieldIndexer) error {
	err := indexer.IndexField(ctx, &corev1.Pod{}, instanceIndex, func(o client.Object) []string {
		return []string{o.GetLabels()[desired.LabelInstance]}
	})
	if err != nil {
		return fmt.Errorf("index pods: %w", err)
	}
	return nil
}

// slotPods are the pods of the slot's Deployment. They are shared with the
// cache: not to be changed.
func slotPods(ctx context.Context, c client.Reader, o observed) ([]corev1.Pod, error) {
	all, err := instancePods(ctx, c, o.microservice)
	if err != nil {
		return nil, err
	}
	return podsOf(o.deployment, all, labels.SelectorFromSet(desired.SlotSelector(o.microservice, o.slot))), nil
}

// instancePods are all pods with the labels of a Microservice, serving or not.
// They are shared with the cache: not to be changed.
func instancePods(ctx context.Context, c client.Reader, m *v1alpha1.Microservice) ([]corev1.Pod, error) {
	list := &corev1.PodList{}
	err := c.List(ctx, list, client.InNamespace(m.Namespace), client.MatchingFields{instanceIndex: m.Name}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return nil, fmt.Errorf("list pods: %w", err)
	}
	return list.Items, nil
}

// Pods are those of a Microservice, whatever their version. They are shared with
// the cache: not to be changed.
func Pods(ctx context.Context, c client.Reader, m *v1alpha1.Microservice) ([]corev1.Pod, error) {
	o := observed{microservice: m, slot: desired.SlotBlue, deployment: &appsv1.Deployment{}}
	err := c.Get(ctx, client.ObjectKey{Namespace: m.Namespace, Name: desired.Name(m.Name, o.slot)}, o.deployment)
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read deployment of %s: %w", m.Name, err)
	case !metav1.IsControlledBy(o.deployment, m):
		return nil, nil
	}
	return slotPods(ctx, c, o)
}

func podsOf(d *appsv1.Deployment, pods []corev1.Pod, slot labels.Selector) []corev1.Pod {
	return slices.DeleteFunc(slices.Clone(pods), func(p corev1.Pod) bool {
		return !slot.Matches(labels.Set(p.Labels)) || !isPodOf(d, p)
	})
}

// newest picks the pods of the newest ReplicaSet of a Deployment: a pod of the
// version before does not speak of the new one.
func newest(d *appsv1.Deployment, pods []corev1.Pod) []corev1.Pod {
	all := slices.Clone(pods)
	hash, known := newestHash(d)
	if !known && len(all) > 0 {
		last := slices.MaxFunc(all, func(a, b corev1.Pod) int {
			return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(hashOf(a), hashOf(b)))
		})
		hash = hashOf(last)
	}
	return slices.DeleteFunc(all, func(p corev1.Pod) bool {
		return hashOf(p) != hash
	})
}

func hashOf(p corev1.Pod) string { return p.Labels[appsv1.DefaultDeploymentUniqueLabelKey] }

func isPodOf(d *appsv1.Deployment, p corev1.Pod) bool {
	c := metav1.GetControllerOf(&p)
	return c != nil && c.Kind == "ReplicaSet" && c.Name == d.Name+"-"+hashOf(p)
}

// maxImages bounds the images of one slot in status.
const maxImages = 8

// imagesOf are the images that run, without repetition.
func imagesOf(pods []corev1.Pod) []string {
	var all []string
	for i := range pods {
		if id := imageOf(&pods[i]); id != "" && pods[i].DeletionTimestamp == nil {
			all = append(all, id)
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return all[:min(len(all), maxImages)]
}

// imageOf is what the node has pulled for the main container, or "".
func imageOf(p *corev1.Pod) string {
	for _, s := range p.Status.ContainerStatuses {
		if s.Name == desired.MainContainer {
			return s.ImageID
		}
	}
	return ""
}

// quotedName finds the ReplicaSet in the words of the deployment controller,
// which tells its name nowhere else in the Deployment.
var quotedName = regexp.MustCompile(`"([^"]+)"`)

func newestHash(d *appsv1.Deployment) (hash string, known bool) {
	c := deploymentCondition(d, appsv1.DeploymentProgressing)
	if c == nil {
		return "", false
	}
	found := quotedName.FindStringSubmatch(c.Message)
	if found == nil {
		return "", false
	}
	return strings.CutPrefix(found[1], d.Name+"-")
}

// TrimPod keeps of a pod what a cause is read from; a cluster has many pods.
func TrimPod(object any) (any, error) {
	p, ok := object.(*corev1.Pod)
	if !ok {
		return object, nil // a tombstone
	}
	kept := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: p.Name, Namespace: p.Namespace, UID: p.UID, ResourceVersion: p.ResourceVersion,
			CreationTimestamp: p.CreationTimestamp, DeletionTimestamp: p.DeletionTimestamp, Labels: map[string]string{},
		},
		Status: corev1.PodStatus{
			Phase:                 p.Status.Phase,
			PodIP:                 p.Status.PodIP,
			InitContainerStatuses: trimContainers(p.Status.InitContainerStatuses),
			ContainerStatuses:     trimContainers(p.Status.ContainerStatuses),
		},
	}
	for _, key := range []string{
		desired.LabelName, desired.LabelInstance, desired.LabelSlot, desired.LabelManagedBy,
		appsv1.DefaultDeploymentUniqueLabelKey,
	} {
		if value, ok := p.Labels[key]; ok {
			kept.Labels[key] = value
		}
	}
	if c := metav1.GetControllerOf(p); c != nil {
		kept.OwnerReferences = []metav1.OwnerReference{*c}
	}
	for _, kind := range []corev1.PodConditionType{corev1.PodScheduled, corev1.PodReady} {
		if c := podCondition(p, kind); c != nil {
			kept.Status.Conditions = append(kept.Status.Conditions, corev1.PodCondition{
				Type: c.Type, Status: c.Status, Message: c.Message, LastTransitionTime: c.LastTransitionTime,
			})
		}
	}
	return kept, nil
}

func trimContainers(all []corev1.ContainerStatus) []corev1.ContainerStatus {
	var kept []corev1.ContainerStatus
	for _, s := range all {
		kept = append(kept, corev1.ContainerStatus{
			Name: s.Name, Image: s.Image, ImageID: s.ImageID, Ready: s.Ready, Started: s.Started,
			RestartCount: min(s.RestartCount, manyRestarts),
			State:        trimState(s.State), LastTerminationState: trimState(s.LastTerminationState),
		})
	}
	return kept
}

// trimState drops the words of an ended container: only the node's are read.
func trimState(s corev1.ContainerState) corev1.ContainerState {
	if t := s.Terminated; t != nil {
		s.Terminated = &corev1.ContainerStateTerminated{ExitCode: t.ExitCode, Reason: t.Reason}
	}
	return s
}

// microserviceOf is whose pod it is.
func microserviceOf(_ context.Context, pod client.Object) []reconcile.Request {
	name := pod.GetLabels()[desired.LabelInstance]
	if name == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: pod.GetNamespace(), Name: name}}}
}

// statusChanged leaves out the many changes of a pod that no status tells:
// heartbeats, addresses, restarts for the same reason.
func statusChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		was, ok := e.ObjectOld.(*corev1.Pod)
		is, alsoOK := e.ObjectNew.(*corev1.Pod)
		return ok && alsoOK && (causeOf(was) != causeOf(is) || imageOf(was) != imageOf(is))
	}}
}
