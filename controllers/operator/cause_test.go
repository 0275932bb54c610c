package operator

import (
	"context"
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
)

// updating writes the status that a Deployment has while its newest ReplicaSet
// is the one of hash new and the pods before it serve.
func (w *world) updating(deployment string) {
	w.Helper()
	d := appears(w, deployment, &appsv1.Deployment{})
	n := *d.Spec.Replicas
	d.Status = appsv1.DeploymentStatus{
		ObservedGeneration: d.Generation, Replicas: n + 1, UpdatedReplicas: 1, ReadyReplicas: n, AvailableReplicas: n,
		Conditions: []appsv1.DeploymentCondition{{
			Type: appsv1.DeploymentProgressing, Status: corev1.ConditionTrue, Reason: "ReplicaSetUpdated",
			Message: fmt.Sprintf("ReplicaSet %q is progressing.", deployment+"-new"),
		}},
	}
	if err := w.client.Status().Update(w.Context(), d); err != nil {
		w.Fatal(err)
	}
}

// pod makes a pod of a ReplicaSet of a Deployment, as its controller does, with
// the status of its main container.
func (w *world) pod(deployment, hash, name string, state corev1.ContainerState) *corev1.Pod {
	w.Helper()
	d := get(w, deployment, &appsv1.Deployment{})
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Name: deployment + "-" + hash + "-" + name, Labels: d.Spec.Template.Labels,
		OwnerReferences: []metav1.OwnerReference{{
			APIVersion: "apps/v1", Kind: "ReplicaSet", Name: deployment + "-" + hash, UID: "1", Controller: new(true),
		}},
	}, Spec: d.Spec.Template.Spec}
	p.Labels[appsv1.DefaultDeploymentUniqueLabelKey] = hash
	w.create(p)
	w.becomesPod(p, state, false)
	return p
}

// becomesPod writes the status of a pod as its node does.
func (w *world) becomesPod(p *corev1.Pod, state corev1.ContainerState, ready bool) {
	w.Helper()
	p.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: desired.MainContainer, Image: p.Spec.Containers[0].Image, State: state, Ready: ready,
	}}
	if err := w.client.Status().Update(w.Context(), p); err != nil {
		w.Fatal(err)
	}
}

func waiting(reason, message string) corev1.ContainerState {
	return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
}

// seesPod waits until the operator's cache holds a pod as it is.
func (o *running) seesPod(p *corev1.Pod) {
	o.Helper()
	o.eventually(func() error {
		cached := &corev1.Pod{}
		if err := o.manager.GetClient().Get(o.Context(), client.ObjectKeyFromObject(p), cached); err != nil {
			return err
		}
		if cached.ResourceVersion != p.ResourceVersion {
			return fmt.Errorf("the cache has pod %s of version %s, not %s", p.Name, cached.ResourceVersion, p.ResourceVersion)
		}
		return nil
	})
}

func TestTheCauseIsTakenFromThePods(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	m := w.microservice("search", `{platformRef: {name: acme}, image: "registry.test/search:2", replicas: 2}`)
	o.settle()
	w.updating("search-blue")
	w.pod("search-blue", "old", "a", corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1}})
	w.becomes(m, v1alpha1.ConditionReconciling, v1alpha1.ReasonProgressing, "1 of 2 pods updated, 2 available")

	t.Log("A pod of the new version is to blame; one of the old is not.")
	const why = "failed to resolve reference: not found"
	p := w.pod("search-blue", "new", "b", waiting("ErrImagePull", why))
	w.becomes(m, v1alpha1.ConditionReconciling, v1alpha1.ReasonImagePullFailed,
		"image pull failed: registry.test/search:2 of container app: the registry does not have it")
	o.settle()

	t.Log("That it fails again is no news, and nothing is written.")
	version, mark := m.ResourceVersion, o.requests.mark()
	for range 5 {
		w.becomesPod(p, waiting("ImagePullBackOff", "Back-off pulling image: ErrImagePull: "+why), false)
		o.seesPod(p)
		w.becomesPod(p, waiting("ErrImagePull", why), false)
		o.seesPod(p)
	}
	o.idle()
	if now := get(w, "search", m).ResourceVersion; now != version {
		t.Errorf("version %s of the Microservice became %s", version, now)
	}
	if sent := o.requests.since(mark, write); len(sent) > 0 {
		t.Errorf("writes: %v", sent)
	}
	w.announcedOnce(m, v1alpha1.ReasonImagePullFailed)

	t.Log("Another cause is news.")
	w.becomesPod(p, waiting("CreateContainerConfigError", `secret "db" not found`), false)
	w.becomes(m, v1alpha1.ConditionReconciling, v1alpha1.ReasonConfigMissing, "container app needs Secret db, which does not exist")

	t.Log("Once the pod runs, nothing is to blame.")
	w.becomesPod(p, corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}, true)
	w.becomes(m, v1alpha1.ConditionReconciling, v1alpha1.ReasonProgressing, "1 of 2 pods updated")
	w.playControllers()
	change(w, m, func(m *v1alpha1.Microservice) { m.Spec.Image = "registry.test/search:3" })
	w.ready(m)
}

// announcedOnce waits for the event of a reason and counts how often it came.
func (w *world) announcedOnce(about client.Object, reason string) {
	w.Helper()
	w.eventually(func() error {
		list := &eventsv1.EventList{}
		if err := w.client.List(w.Context(), list, client.InNamespace(w.namespace)); err != nil {
			return err
		}
		n := 0
		for _, e := range list.Items {
			if e.Regarding.Name == about.GetName() && e.Reason == reason {
				n++
				if e.Series != nil {
					n += int(e.Series.Count)
				}
			}
		}
		if n > 1 {
			w.Fatalf("%s was announced %d times", reason, n)
		}
		if n == 0 {
			return fmt.Errorf("%s was not announced", reason)
		}
		return nil
	})
}

func TestThePlatformNamesOneRootCause(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	p := w.platform("{}")
	o.settle() // the first number of pods is written after the Deployment
	w.updating("acme-gateway-blue")
	w.updating("acme-streaming-blue")
	w.becomes(p, v1alpha1.ConditionReconciling, v1alpha1.ReasonServicesNotReady, "; blocks gateway")
	w.pod("acme-streaming-blue", "new", "a", waiting("ErrImagePull", "401 Unauthorized"))
	w.becomes(p, v1alpha1.ConditionReconciling, v1alpha1.ReasonServicesNotReady,
		"streaming: image pull failed: registry.test/streaming:1.0.0 of container app: the registry refuses access; "+
			"name a Secret with credentials for it in imagePullSecrets; blocks gateway")
	for _, line := range p.Status.Services {
		want := fmt.Sprintf("http://acme-%s.%s.svc:80", line.Name, w.namespace)
		if line.Address != want || line.Scale != "2..6" || line.Image != "registry.test/"+line.Name+":1.0.0" || line.ManagedBy != "" {
			t.Errorf("line %+v", line)
		}
	}
	o.settle()
	o.idle()
}

// has waits for a condition beside the summary; an empty status means absent.
func (w *world) has(object client.Object, kind string, status metav1.ConditionStatus, reason string) {
	w.Helper()
	w.eventually(func() error {
		if err := w.client.Get(w.Context(), client.ObjectKeyFromObject(object), object); err != nil {
			return err
		}
		all, _ := statusOf(object)
		c := apimeta.FindStatusCondition(all, kind)
		switch {
		case c == nil && status == "":
			return nil
		case c == nil || c.Status != status || c.Reason != reason:
			return fmt.Errorf("%s: want %s=%s, reason %s, got %v", object.GetName(), kind, status, reason, all)
		default:
			return nil
		}
	})
}

func TestTheAutoscalersComplaintIsShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	m := w.microservice("search", searchScaled)
	w.ready(m)
	w.has(m, v1alpha1.ConditionScalingActive, metav1.ConditionUnknown, v1alpha1.ReasonScalingUnknown)
	w.autoscalerSays("search-blue", corev1.ConditionFalse, "FailedGetResourceMetric")
	w.has(m, v1alpha1.ConditionScalingActive, metav1.ConditionFalse, "FailedGetResourceMetric")
	if err := w.is(m, v1alpha1.ConditionReady, v1alpha1.ReasonAvailable, ""); err != nil {
		t.Error(err)
	}
	o.settle()
	o.idle()
	w.autoscalerSays("search-blue", corev1.ConditionTrue, "ValidMetricFound")
	w.has(m, v1alpha1.ConditionScalingActive, metav1.ConditionTrue, "ValidMetricFound")
	change(w, m, setReplicas(2))
	w.has(m, v1alpha1.ConditionScalingActive, "", "")
}

// autoscalerSays writes the status of an autoscaler as its controller does.
func (w *world) autoscalerSays(name string, active corev1.ConditionStatus, reason string) {
	w.Helper()
	hpa := appears(w, name, &autoscalingv2.HorizontalPodAutoscaler{})
	hpa.Status.Conditions = []autoscalingv2.HorizontalPodAutoscalerCondition{
		{Type: autoscalingv2.AbleToScale, Status: corev1.ConditionTrue, Reason: "SucceededGetScale"},
		{Type: autoscalingv2.ScalingActive, Status: active, Reason: reason, Message: "said the autoscaler"},
	}
	if err := w.client.Status().Update(context.WithoutCancel(w.Context()), hpa); err != nil {
		w.Fatal(err)
	}
}
