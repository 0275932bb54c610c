package operator

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/apply"
)

const searchExternal = `{platformRef: {name: acme}, image: "registry.test/search:1", replicas: 3, autoscaling: {mode: External}}`

func setExternal(n int32) func(*v1alpha1.Microservice) {
	return func(m *v1alpha1.Microservice) {
		m.Spec.Replicas, m.Spec.Autoscaling = new(n), &v1alpha1.Autoscaling{Mode: v1alpha1.AutoscalingExternal}
	}
}

// scaleService does what an autoscaler of somebody does to a Microservice, and
// waits until it finds the pods.
func (w *world) scaleService(m *v1alpha1.Microservice, n int32) {
	w.Helper()
	scale := &autoscalingv1.Scale{}
	subresource := w.client.SubResource("scale")
	w.eventually(func() error {
		get(w, m.Name, m)
		if err := subresource.Get(w.Context(), m.DeepCopy(), scale); err != nil {
			return err
		}
		scale.Spec.Replicas = n
		return subresource.Update(w.Context(), m.DeepCopy(), client.WithSubResourceBody(scale), client.FieldOwner(autoscaler))
	})
	w.eventually(func() error {
		if err := subresource.Get(w.Context(), m.DeepCopy(), scale); err != nil {
			return err
		}
		if scale.Status.Replicas != n || scale.Status.Selector == "" {
			return fmt.Errorf("%s is scaled to %v", m.Name, scale)
		}
		return nil
	})
}

// numbers waits until a Microservice and its Deployment have a number of pods.
func (w *world) numbers(m *v1alpha1.Microservice, n int32) {
	w.Helper()
	w.eventually(func() error {
		get(w, m.Name, m)
		if d := w.replicas(m.Name + "-blue"); m.Spec.Replicas == nil || *m.Spec.Replicas != n || d != n {
			return fmt.Errorf("%s has %v replicas, its Deployment %d", m.Name, m.Spec.Replicas, d)
		}
		return nil
	})
}

// Pods follow the number of the Microservice, and no step makes it unready.
func TestExternalAutoscalerScalesTheMicroservice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	m := w.microservice("finder", searchExternal)
	w.becomes(m, v1alpha1.ConditionReady, v1alpha1.ReasonAvailable, "3 pods")
	o.settle()
	had := w.everHad("finder-blue")
	for _, n := range []int32{7, 0, 1} {
		w.scaleService(m, n)
		reason := v1alpha1.ReasonAvailable
		if n == 0 {
			reason = v1alpha1.ReasonScaledToZero
		}
		w.becomes(m, v1alpha1.ConditionReady, reason, "")
		change(w, m, func(m *v1alpha1.Microservice) { m.Spec.Image = fmt.Sprintf("registry.test/search:%d", n) })
		w.becomes(m, v1alpha1.ConditionReady, reason, "")
		o.settle()
	}
	o.idle()
	if diff := cmp.Diff([]int32{3, 7, 0, 1}, had()); diff != "" {
		t.Errorf("numbers of pods (-want +got):\n%s", diff)
	}
	if c := apimeta.FindStatusCondition(m.Status.Conditions, v1alpha1.ConditionScalingActive); c != nil {
		t.Errorf("told: %v", c)
	}
	hpas := &autoscalingv2.HorizontalPodAutoscalerList{}
	if err := w.client.List(t.Context(), hpas, client.InNamespace(w.namespace)); err != nil || len(hpas.Items) > 0 {
		t.Errorf("%v, autoscalers %v", err, hpas.Items)
	}
}

// The platform gives its Microservice a number to start with, and never again.
func TestExternalAutoscalerScalesAServiceOfAPlatform(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	p := w.platform(`{services: [{name: search, image: "registry.test/search:1", replicas: 3, autoscaling: {mode: External}}]}`)
	w.ready(p)
	m := get(w, "acme-search", &v1alpha1.Microservice{})
	w.numbers(m, 3)
	o.settle()
	o.idle()
	had := w.everHad("acme-search-blue")
	w.scaleService(m, 7)
	change(w, p, func(p *v1alpha1.StreamingPlatform) {
		p.Spec.Services[0].Image, p.Spec.Services[0].Replicas = "registry.test/search:2", new(int32(5))
	})
	w.ready(p)
	w.numbers(m, 7)
	o.settle()
	o.idle()

	t.Log("Nor after a restart, nor when its team has had it.")
	o.stop()
	o = w.start(catalog("1.0.0"))
	o.settle()
	o.idle()
	change(w, p, managedBy(v1alpha1.ManagedByTeam))
	w.writtenBy(m, nil)
	w.scaleService(m, 9)
	change(w, p, managedBy(""))
	w.writtenBy(m, p)
	w.ready(p)
	w.scaleService(m, 4)
	w.ready(p)
	w.numbers(m, 4)
	o.settle()
	o.idle()
	if diff := cmp.Diff([]int32{3, 7, 9, 4}, had()); diff != "" {
		t.Errorf("numbers of pods (-want +got):\n%s", diff)
	}
	if get(w, "acme", p); w.told(p)+w.told(m) > 0 {
		t.Errorf("%d and %d edits are told", w.told(p), w.told(m))
	}

	t.Log("A fixed number is the platform's again.")
	change(w, p, func(p *v1alpha1.StreamingPlatform) {
		p.Spec.Services[0].Replicas, p.Spec.Services[0].Autoscaling = nil, nil
	})
	w.eventually(func() error {
		if n := w.replicas("acme-search-blue"); n != 1 {
			return fmt.Errorf("%d replicas", n)
		}
		return nil
	})
	w.ready(p)
	o.settle()
	o.idle()
}

func TestHandOverToAndFromExternal(t *testing.T) {
	t.Parallel()
	native := func(m *v1alpha1.Microservice) {
		setAutoscaling(m)
		m.Spec.Autoscaling.Memory = &v1alpha1.MemoryTarget{AverageUtilization: 80}
		m.Spec.Resources = &corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("64Mi")}}
	}
	cases := map[string]handOver{
		"fixed to External keeps the number":    {searchFixed(4), setExternal(2), []int32{4}},
		"zero to External starts":               {searchFixed(0), setExternal(2), []int32{0, 2}},
		"Native to External keeps the number":   {searchScaled, setExternal(5), []int32{2}},
		"External to Native keeps the number":   {searchExternal, native, []int32{3}},
		"External to fixed sets the number":     {searchExternal, setReplicas(5), []int32{3, 5}},
		"External to the same fixed number too": {searchExternal, setReplicas(3), []int32{3}},
	}
	for name, tc := range cases {
		t.Run(name, tc.check)
	}
}

// There and back, by the platform: what one mode leaves must neither hold nor
// lower the number of the next.
func TestHandOverOfAServiceToExternalAndBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	p := w.platform(`{services: [{name: search, image: "registry.test/search:1", replicas: 4, resources: {requests: {cpu: 100m}}}]}`)
	w.ready(p)
	m := get(w, "acme-search", &v1alpha1.Microservice{})
	o.settle()
	had := w.everHad("acme-search-blue")
	becomes := func(replicas *int32, a *v1alpha1.Autoscaling) {
		t.Helper()
		change(w, p, func(p *v1alpha1.StreamingPlatform) {
			p.Spec.Services[0].Replicas, p.Spec.Services[0].Autoscaling = replicas, a
		})
		w.eventually(func() error {
			if get(w, m.Name, m); (a == nil) != (m.Spec.Autoscaling == nil) || a != nil && m.Spec.Autoscaling.Mode != a.Mode {
				return fmt.Errorf("%s has %v", m.Name, m.Spec.Autoscaling)
			}
			return nil
		})
		w.ready(p)
		o.settle()
	}
	external := &v1alpha1.Autoscaling{Mode: v1alpha1.AutoscalingExternal}
	native := &v1alpha1.Autoscaling{MinReplicas: 2, MaxReplicas: 20}
	for _, n := range []int32{8, 6} {
		becomes(new(int32(2)), external)
		w.scaleService(m, n)
		becomes(nil, native)
		if err := w.scale(t.Context(), get(w, "acme-search-blue", &appsv1.Deployment{}), n+1); err != nil {
			t.Fatal(err)
		}
		becomes(new(int32(2)), external)
		w.numbers(m, n+1)
	}
	becomes(nil, native)
	becomes(new(int32(7)), nil)
	becomes(new(int32(2)), external)
	w.numbers(m, 7)
	o.idle()
	if diff := cmp.Diff([]int32{4, 8, 9, 6, 7}, had()); diff != "" {
		t.Errorf("numbers of pods (-want +got):\n%s", diff)
	}
}

// An autoscaler that has the Deployment as its target loses nothing: the number
// passes to the Microservice, whose condition says what to change.
func TestAutoscalerOfTheDeploymentIsFollowedAndTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	m := w.microservice("finder", searchExternal)
	w.becomes(m, v1alpha1.ConditionReady, v1alpha1.ReasonAvailable, "3 pods")
	o.settle()
	had := w.everHad("finder-blue")

	t.Log("While the operator is away, as in an upgrade.")
	o.stop()
	ctx := context.WithoutCancel(t.Context())
	if err := w.scale(ctx, get(w, "finder-blue", &appsv1.Deployment{}), 7); err != nil {
		t.Fatal(err)
	}
	o = w.start(catalog("1.0.0"))
	w.numbers(m, 7)
	w.has(m, v1alpha1.ConditionScalingActive, metav1.ConditionFalse, v1alpha1.ReasonScaledDirectly)
	o.settle()
	if err := w.scale(ctx, get(w, "finder-blue", &appsv1.Deployment{}), 9); err != nil {
		t.Fatal(err)
	}
	w.numbers(m, 9)
	o.settle()
	o.idle()

	t.Log("The right target.")
	w.scaleService(m, 5)
	w.has(m, v1alpha1.ConditionScalingActive, "", "")
	w.ready(m)
	o.settle()
	o.idle()
	if diff := cmp.Diff([]int32{3, 7, 9, 5}, had()); diff != "" {
		t.Errorf("numbers of pods (-want +got):\n%s", diff)
	}
}

// Once the platform owned the number of its Microservice, and autoscalers had the
// Deployment as their target: an upgrade changes no number.
func TestUpgradeKeepsTheNumberOfExternalAutoscalers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	p := w.platform(`{services: [{name: search, image: "registry.test/search:1", replicas: 3, autoscaling: {mode: External}}]}`)
	w.ready(p)
	m := get(w, "acme-search", &v1alpha1.Microservice{})
	o.settle()
	o.stop()
	had := w.everHad("acme-search-blue")
	as := func(manager string, object client.Object, spec map[string]any) {
		t.Helper()
		u := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
		gvk, err := apiutil.GVKForObject(object, plane.scheme)
		if err != nil {
			t.Fatal(err)
		}
		u.SetGroupVersionKind(gvk)
		u.SetName(object.GetName())
		u.SetNamespace(w.namespace)
		if manager == apply.FieldManager {
			u.SetOwnerReferences(object.GetOwnerReferences())
		}
		err = w.client.Apply(context.WithoutCancel(t.Context()), client.ApplyConfigurationFromUnstructured(u), client.FieldOwner(manager), client.ForceOwnership)
		if err != nil {
			t.Fatal(err)
		}
	}
	d := get(w, "acme-search-blue", &appsv1.Deployment{})
	as(apply.ScaleManager, d, map[string]any{"replicas": 3})
	as("streamplane-external", d, nil)
	if err := w.scale(t.Context(), d, 8); err != nil {
		t.Fatal(err)
	}
	spec, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&get(w, m.Name, m).Spec)
	if err != nil {
		t.Fatal(err)
	}
	as(apply.FieldManager, m, spec)
	as(apply.ScaleManager, m, nil)
	if diff := cmp.Diff([]string{apply.FieldManager}, apply.Owners(get(w, m.Name, m), "replicas")); diff != "" {
		t.Fatalf("owners of the number: %s", diff)
	}

	o = w.start(catalog("1.0.0"))
	w.numbers(m, 8)
	w.ready(p)
	o.settle()
	o.idle()
	w.numbers(m, 8)
	if diff := cmp.Diff([]int32{3, 8}, had()); diff != "" {
		t.Errorf("numbers of pods (-want +got):\n%s", diff)
	}
}

// As for every custom resource whose specpath is empty; the guide says so.
func TestScaleWithoutANumberIsAnError(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.microservice("finder", searchScaled)
	err := w.client.SubResource("scale").Get(t.Context(), m, &autoscalingv1.Scale{})
	if !apierrors.IsInternalError(err) {
		t.Errorf("%v", err)
	}
}
