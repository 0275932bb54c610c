package operator

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/apply"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
)

func TestDeletedChildrenComeBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	w.ready(w.platform("{}"))
	o.settle()
	cases := map[string]struct {
		kind client.Object
		name string
	}{
		"Microservice":            {&v1alpha1.Microservice{}, "acme-streaming"},
		"ServiceAccount":          {&corev1.ServiceAccount{}, "acme-gateway"},
		"NetworkPolicy":           {&networkingv1.NetworkPolicy{}, "acme-gateway"},
		"Service":                 {&corev1.Service{}, "acme-gateway"},
		"headless Service":        {&corev1.Service{}, "acme-gateway-headless"},
		"Deployment":              {&appsv1.Deployment{}, "acme-gateway-blue"},
		"HorizontalPodAutoscaler": {&autoscalingv2.HorizontalPodAutoscaler{}, "acme-gateway-blue"},
		"PodDisruptionBudget":     {&policyv1.PodDisruptionBudget{}, "acme-gateway-blue"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := w.in(t)
			gone := get(w, tc.name, tc.kind)
			uid := gone.GetUID()
			w.remove(gone)
			w.eventually(func() error {
				back := tc.kind.DeepCopyObject().(client.Object)
				err := w.client.Get(w.Context(), client.ObjectKeyFromObject(gone), back)
				if err == nil && back.GetUID() == uid {
					err = fmt.Errorf("%s is still there", tc.name)
				}
				return err
			})
		})
	}
}

func TestDriftIsReverted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	w.ready(w.platform("{}"))
	o.settle()
	cases := map[string]struct {
		edit func(*world) client.Object
		read func(*world) any
	}{
		"image of a Deployment": {
			func(w *world) client.Object {
				d := &appsv1.Deployment{}
				d.Name = "acme-gateway-blue"
				return change(w, d, func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].Image = "evil" })
			},
			func(w *world) any {
				return get(w, "acme-gateway-blue", &appsv1.Deployment{}).Spec.Template.Spec.Containers[0].Image
			},
		},
		"an extra key in the selector of a Service": {
			func(w *world) client.Object {
				s := &corev1.Service{}
				s.Name = "acme-gateway"
				return change(w, s, func(s *corev1.Service) { s.Spec.Selector["nobody"] = "has" })
			},
			func(w *world) any { return get(w, "acme-gateway", &corev1.Service{}).Spec.Selector },
		},
		"a stripped label that the cache selects by": {
			func(w *world) client.Object {
				s := &corev1.Service{}
				s.Name = "acme-gateway-headless"
				return change(w, s, func(s *corev1.Service) { delete(s.Labels, desired.LabelManagedBy) })
			},
			func(w *world) any { return get(w, "acme-gateway-headless", &corev1.Service{}).Labels },
		},
		"the bounds of an autoscaler": {
			func(w *world) client.Object {
				h := &autoscalingv2.HorizontalPodAutoscaler{}
				h.Name = "acme-gateway-blue"
				return change(w, h, func(h *autoscalingv2.HorizontalPodAutoscaler) { h.Spec.MaxReplicas = 900 })
			},
			func(w *world) any {
				return get(w, "acme-gateway-blue", &autoscalingv2.HorizontalPodAutoscaler{}).Spec.MaxReplicas
			},
		},
		"a rule that lets everybody in": {
			func(w *world) client.Object {
				n := &networkingv1.NetworkPolicy{}
				n.Name = "acme-streaming"
				return change(w, n, func(n *networkingv1.NetworkPolicy) {
					n.Spec.Ingress = append(n.Spec.Ingress, networkingv1.NetworkPolicyIngressRule{})
				})
			},
			func(w *world) any { return get(w, "acme-streaming", &networkingv1.NetworkPolicy{}).Spec.Ingress },
		},
		"a budget that forbids every drain": {
			func(w *world) client.Object {
				b := &policyv1.PodDisruptionBudget{}
				b.Name = "acme-streaming-blue"
				return change(w, b, func(b *policyv1.PodDisruptionBudget) { b.Spec.MaxUnavailable.IntVal = 0 })
			},
			func(w *world) any { return get(w, "acme-streaming-blue", &policyv1.PodDisruptionBudget{}).Spec },
		},
		"a mounted token": {
			func(w *world) client.Object {
				s := &corev1.ServiceAccount{}
				s.Name = "acme-streaming"
				return change(w, s, func(s *corev1.ServiceAccount) { s.AutomountServiceAccountToken = new(true) })
			},
			func(w *world) any {
				return get(w, "acme-streaming", &corev1.ServiceAccount{}).AutomountServiceAccountToken
			},
		},
		"a field of a Microservice": {
			func(w *world) client.Object {
				m := &v1alpha1.Microservice{}
				m.Name = "acme-streaming"
				return change(w, m, func(m *v1alpha1.Microservice) { m.Spec.Autoscaling.MaxReplicas = 900 })
			},
			func(w *world) any { return get(w, "acme-streaming", &v1alpha1.Microservice{}).Spec },
		},
		"the hash of what was applied": {
			func(w *world) client.Object {
				s := &corev1.Service{}
				s.Name = "acme-streaming"
				return change(w, s, func(s *corev1.Service) { delete(s.Annotations, apply.HashAnnotation) })
			},
			func(w *world) any { return get(w, "acme-streaming", &corev1.Service{}).Annotations },
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := w.in(t)
			before := tc.read(w)
			edited := tc.edit(w)
			w.eventually(func() error {
				if diff := cmp.Diff(before, tc.read(w)); diff != "" {
					return fmt.Errorf("%T %s (-before +after):\n%s", edited, edited.GetName(), diff)
				}
				return nil
			})
		})
	}
}

// What others add is theirs: kubectl rollout restart, for one.
func TestAdditionsOfOthersStay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	p := w.platform("{}")
	w.ready(p)
	d := get(w, "acme-gateway-blue", &appsv1.Deployment{})
	const restarted = "kubectl.kubernetes.io/restartedAt"
	change(w, d, func(d *appsv1.Deployment) {
		d.Spec.Template.Annotations = map[string]string{restarted: "now"}
		d.Labels["team"] = "video"
	})
	o.settle()
	o.idle()

	t.Log("They stay when our fields change, too.")
	change(w, p, func(p *v1alpha1.StreamingPlatform) {
		p.Spec.Services = []v1alpha1.PlatformService{{Name: "gateway", WorkloadSpec: v1alpha1.WorkloadSpec{Image: "registry.test/gateway:next"}}}
	})
	w.eventually(func() error {
		if image := get(w, d.Name, d).Spec.Template.Spec.Containers[0].Image; image != "registry.test/gateway:next" {
			return fmt.Errorf("image %s", image)
		}
		return nil
	})
	if d.Spec.Template.Annotations[restarted] != "now" || d.Labels["team"] != "video" {
		t.Errorf("annotations %v, labels %v", d.Spec.Template.Annotations, d.Labels)
	}
}
