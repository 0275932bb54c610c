package platform

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

func TestPlatformsOf(t *testing.T) {
	made := &v1alpha1.Microservice{ObjectMeta: metav1.ObjectMeta{Namespace: "tv", OwnerReferences: []metav1.OwnerReference{
		{Kind: "StreamingPlatform", Name: "acme", Controller: new(true)},
	}}}
	made.Spec.PlatformRef.Name = "acme"
	moved := made.DeepCopy()
	moved.Spec.PlatformRef.Name = "other" // by somebody who may not
	for want, m := range map[string]*v1alpha1.Microservice{"tv/acme ": made, "tv/other tv/acme ": moved} {
		got := ""
		for _, request := range platformsOf(m) {
			got += request.String() + " "
		}
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestOnlyStatusChanged(t *testing.T) {
	before := &v1alpha1.Microservice{ObjectMeta: metav1.ObjectMeta{Name: "a", Generation: 1, Labels: map[string]string{"a": "b"}}}
	changes := map[string]func(*v1alpha1.Microservice){
		"status":     func(m *v1alpha1.Microservice) { m.Status.Pods, m.ResourceVersion = "1/1", "2" },
		"spec":       func(m *v1alpha1.Microservice) { m.Generation = 2 },
		"label":      func(m *v1alpha1.Microservice) { m.Labels = nil },
		"annotation": func(m *v1alpha1.Microservice) { m.Annotations = map[string]string{"a": "b"} },
		"owner":      func(m *v1alpha1.Microservice) { m.OwnerReferences = []metav1.OwnerReference{{Name: "x"}} },
		"deletion":   func(m *v1alpha1.Microservice) { m.DeletionTimestamp = new(metav1.Now()) },
	}
	for name, change := range changes {
		after := before.DeepCopy()
		change(after)
		if diff := cmp.Diff(name == "status", onlyStatusChanged(before, after)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestOnlyScaled(t *testing.T) {
	before := &v1alpha1.Microservice{ObjectMeta: metav1.ObjectMeta{Name: "a", Generation: 1}}
	before.Spec.Replicas, before.Spec.Autoscaling = new(int32(1)), &v1alpha1.Autoscaling{Mode: v1alpha1.AutoscalingExternal}
	cases := map[string]struct {
		change func(*v1alpha1.Microservice)
		want   bool
	}{
		"scaled":           {func(m *v1alpha1.Microservice) { m.Generation, m.Spec.Replicas = 2, new(int32(2)) }, true},
		"scaled and moved": {func(m *v1alpha1.Microservice) { m.Spec.Replicas, m.Spec.Image = new(int32(2)), "x" }, false},
		"no longer":        {func(m *v1alpha1.Microservice) { m.Spec.Autoscaling = nil }, false},
		"labelled":         {func(m *v1alpha1.Microservice) { m.Labels = map[string]string{"a": "b"} }, false},
	}
	for name, tc := range cases {
		after := before.DeepCopy()
		tc.change(after)
		if got := onlyScaled(before, after); got != tc.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
