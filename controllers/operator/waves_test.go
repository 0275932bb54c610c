package operator

import (
	"errors"
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// runsImages waits until the Deployments of acme have these images.
func (w *world) runsImages(want map[string]string) {
	w.Helper()
	w.eventually(func() error {
		for service, image := range want {
			if is := get(w, "acme-"+service+"-blue", &appsv1.Deployment{}).Spec.Template.Spec.Containers[0].Image; is != image {
				return fmt.Errorf("%s runs %s, want %s", service, is, image)
			}
		}
		return nil
	})
}

// The gateway calls streaming. When both get a new version, it waits for it; when
// that one fails it goes on, or waits until it is mended.
func TestNewVersionsFollowTheCalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.platform(`{rollout: {onFailure: Stop}}`)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	w.ready(p)
	w.settled(o)
	images := func(streaming, gateway string) {
		w.Helper()
		change(w, p, func(p *v1alpha1.StreamingPlatform) {
			p.Spec.Services = []v1alpha1.PlatformService{{Name: "streaming"}, {Name: "gateway"}}
			p.Spec.Services[0].Image, p.Spec.Services[1].Image = "registry.test/streaming:"+streaming, "registry.test/gateway:"+gateway
		})
	}

	images("bad", "2")
	gateway := get(w, "acme-gateway", &v1alpha1.Microservice{})
	w.becomes(gateway, v1alpha1.ConditionReconciling, v1alpha1.ReasonHeld, "waits until streaming is mended")
	w.runsImages(map[string]string{"gateway": "registry.test/gateway:1.0.0", "streaming": "registry.test/streaming:1.0.0"})
	w.becomes(p, v1alpha1.ConditionStalled, v1alpha1.ReasonServicesNotReady, "streaming: revision acme-streaming-")
	w.settled(o)

	images("2", "2")
	w.ready(p)
	w.runsImages(map[string]string{"gateway": "registry.test/gateway:2", "streaming": "registry.test/streaming:2"})
	w.settled(o)

	change(w, p, func(p *v1alpha1.StreamingPlatform) { p.Spec.Rollout = nil })
	images("bad", "3")
	w.becomes(p, v1alpha1.ConditionStalled, v1alpha1.ReasonServicesNotReady, "streaming: revision acme-streaming-")
	w.runsImages(map[string]string{"gateway": "registry.test/gateway:3", "streaming": "registry.test/streaming:2"})
	w.ready(gateway)
}

// The first version that waits does so from the write that brings it: it never
// begins before its callee.
func TestTheCallerNeverGoesFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.platform(`{}`)
	w.start(catalog("1.0.0"))
	w.playControllers()
	w.ready(p)
	w.follow(&appsv1.DeploymentList{}, func(object runtime.Object) error {
		d, ok := object.(*appsv1.Deployment)
		if !ok || d.Name != "acme-gateway-blue" || d.Spec.Template.Spec.Containers[0].Image != "registry.test/gateway:2" {
			return nil
		}
		callee := get(w, "acme-streaming-blue", &appsv1.Deployment{})
		if callee.Spec.Template.Spec.Containers[0].Image != "registry.test/streaming:2" || callee.Status.ObservedGeneration != callee.Generation {
			return errors.New("gateway begins before streaming has rolled")
		}
		return nil
	})
	change(w, p, func(p *v1alpha1.StreamingPlatform) {
		p.Spec.Services = []v1alpha1.PlatformService{{Name: "streaming"}, {Name: "gateway"}}
		p.Spec.Services[0].Image, p.Spec.Services[1].Image = "registry.test/streaming:2", "registry.test/gateway:2"
	})
	w.ready(p)
	w.runsImages(map[string]string{"gateway": "registry.test/gateway:2", "streaming": "registry.test/streaming:2"})
}
