package operator

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// goes waits until an object is no more.
func (w *world) goes(object client.Object) {
	w.Helper()
	key := client.ObjectKeyFromObject(object)
	w.eventually(func() error {
		err := w.client.Get(w.Context(), key, object)
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("%s is still there: %w", key.Name, err)
	})
}

func TestRemovedServicesGoAndNothingElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	p := w.platform(`{services: [{name: search, image: "registry.test/search:1"}]}`)
	w.ready(p)
	foreign := &v1alpha1.Microservice{}
	w.createYAML(`{metadata: {name: acme-foreign, labels: {app.kubernetes.io/managed-by: streamplane, app.kubernetes.io/part-of: acme}},
		spec: {platformRef: {name: acme}, image: "registry.test/foreign:1"}}`, foreign)
	w.ready(foreign)
	o.settle()
	before := w.versions()

	cases := []struct {
		name string
		spec func(*v1alpha1.StreamingPlatform)
		gone string
	}{
		{"a disabled service", func(p *v1alpha1.StreamingPlatform) {
			p.Spec.Services = append(p.Spec.Services, v1alpha1.PlatformService{Name: "streaming", Enabled: new(false)})
		}, "acme-streaming"},
		{"a deleted entry", func(p *v1alpha1.StreamingPlatform) {
			p.Spec.Services = p.Spec.Services[1:]
		}, "acme-search"},
	}
	removed := []string{"StreamingPlatform/acme"}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			w, o := w.in(t), o.in(t)
			change(w, p, tc.spec)
			gone := &v1alpha1.Microservice{}
			gone.Name, gone.Namespace = tc.gone, w.namespace
			w.goes(gone)
			w.ready(p)
			removed = append(removed, "Microservice/"+tc.gone)
			o.settle()
			// Its children go by garbage collection, which no one does here.
			if diff := cmp.Diff(without(before, removed...), without(w.versions(), "StreamingPlatform/acme")); diff != "" {
				t.Errorf("others changed (-before +after):\n%s", diff)
			}
		})
	}
}

// The deleted entry of a bundled service only reverts it.
func TestDeletedOverrideReverts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start(catalog("1.0.0"))
	w.playControllers()
	p := w.platform(`{services: [{name: gateway, replicas: 3, env: [{name: A, value: b}], terminationGracePeriodSeconds: 9}]}`)
	w.ready(p)
	change(w, p, func(p *v1alpha1.StreamingPlatform) { p.Spec.Services = nil })
	w.ready(p)
	spec := get(w, "acme-gateway", &v1alpha1.Microservice{}).Spec
	own := slices.ContainsFunc(spec.Env, func(e v1alpha1.EnvVar) bool { return e.Name == "A" })
	if spec.Replicas != nil || spec.Autoscaling == nil || own || *spec.TerminationGracePeriodSeconds != 45 {
		t.Errorf("not reverted: %v", spec)
	}
}

func TestUnwantedChildrenArePruned(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	p := w.platform("{}")
	w.ready(p)
	theirs := &autoscalingv2.HorizontalPodAutoscaler{}
	w.createYAML(`{metadata: {name: theirs, labels: {app.kubernetes.io/managed-by: streamplane, app.kubernetes.io/instance: acme-gateway}},
		spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: other}, maxReplicas: 2}}`, theirs)
	account := &corev1.ServiceAccount{}
	w.createYAML(`{metadata: {name: acme-gateway-theirs}}`, account)
	o.settle()

	change(w, p, func(p *v1alpha1.StreamingPlatform) {
		p.Spec.Services = []v1alpha1.PlatformService{{Name: "gateway", WorkloadSpec: v1alpha1.WorkloadSpec{Replicas: new(int32(1))}}}
	})
	hpa := get(w, "acme-gateway-blue", &autoscalingv2.HorizontalPodAutoscaler{})
	w.goes(hpa)
	w.ready(p)
	o.settle()
	after := w.versions()
	for _, name := range []string{"PodDisruptionBudget/acme-gateway-blue", "HorizontalPodAutoscaler/acme-gateway-blue"} {
		if _, ok := after[name]; ok {
			t.Errorf("%s is not pruned", name)
		}
	}
	for name, version := range map[string]string{
		"HorizontalPodAutoscaler/theirs":     theirs.ResourceVersion,
		"ServiceAccount/acme-gateway-theirs": account.ResourceVersion,
	} {
		if after[name] != version {
			t.Errorf("%s was touched", name)
		}
	}
	if _, ok := after["HorizontalPodAutoscaler/acme-streaming-blue"]; !ok {
		t.Error("the autoscaler of another service is gone")
	}
}
