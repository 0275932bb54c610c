package operator

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// Rules that only the merged specification can break show in status, name the
// field, and leave what runs as it is.
func TestInvalidServiceKeepsRunning(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	p := w.platform(`{services: [{name: search, image: "registry.test/search:1"}]}`)
	w.ready(p)
	o.settle()
	before := w.versions()
	service := func(edit func(*v1alpha1.PlatformService)) func(*v1alpha1.StreamingPlatform) {
		return func(p *v1alpha1.StreamingPlatform) {
			p.Spec.Services = []v1alpha1.PlatformService{{Name: "search", WorkloadSpec: v1alpha1.WorkloadSpec{Image: "registry.test/search:1"}}}
			edit(&p.Spec.Services[0])
		}
	}
	cases := map[string]struct {
		edit    func(*v1alpha1.PlatformService)
		message string
	}{
		"custom service without image": {
			func(s *v1alpha1.PlatformService) { s.Image, s.Replicas = "", new(int32(2)) }, "services[search].image: required",
		},
		"autoscaling without a cpu request": {
			func(s *v1alpha1.PlatformService) {
				s.Autoscaling = &v1alpha1.Autoscaling{MinReplicas: 1, MaxReplicas: 2}
			},
			"services[search].resources.requests.cpu: required by autoscaling on cpu",
		},
		"mount of a missing volume": {
			func(s *v1alpha1.PlatformService) {
				s.VolumeMounts = []v1alpha1.VolumeMount{{Name: "index", MountPath: "/index"}}
			},
			`services[search].volumeMounts[/index]: there is no volume "index"`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w, o := w.in(t), o.in(t)
			change(w, p, service(tc.edit))
			w.becomes(p, v1alpha1.ConditionStalled, v1alpha1.ReasonInvalidSpec, tc.message)
			o.settle()
			if diff := cmp.Diff(without(before, "StreamingPlatform/acme"), without(w.versions(), "StreamingPlatform/acme")); diff != "" {
				t.Errorf("what runs was changed (-before +after):\n%s", diff)
			}
		})
	}

	t.Log("The others go on meanwhile, and the fix mends it.")
	change(w, p, func(p *v1alpha1.StreamingPlatform) {
		p.Spec.Services = append(p.Spec.Services, v1alpha1.PlatformService{Name: "gateway", WorkloadSpec: v1alpha1.WorkloadSpec{Replicas: new(int32(3))}})
	})
	m := get(w, "acme-gateway", &v1alpha1.Microservice{})
	w.becomes(m, v1alpha1.ConditionReady, v1alpha1.ReasonAvailable, "3 pods")
	change(w, p, service(func(*v1alpha1.PlatformService) {}))
	w.ready(p)
}

func TestUnknownReleaseTouchesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("2.0.0", "1.0.0"))
	w.playControllers()
	p := w.platform(`{release: "1.0.0"}`)
	w.ready(p)
	o.settle()
	before := w.versions()
	change(w, p, func(p *v1alpha1.StreamingPlatform) { p.Spec.Release = "9.9.9" })
	w.becomes(p, v1alpha1.ConditionStalled, v1alpha1.ReasonUnknownRelease,
		`spec.release: this operator has no release "9.9.9", only 2.0.0, 1.0.0`)
	o.settle()
	if diff := cmp.Diff(without(before, "StreamingPlatform/acme"), without(w.versions(), "StreamingPlatform/acme")); diff != "" {
		t.Errorf("what runs was changed (-before +after):\n%s", diff)
	}
	if p.Status.Release != "1.0.0" || p.Status.ServicesReady != "2/2" {
		t.Errorf("release %s, services ready %s", p.Status.Release, p.Status.ServicesReady)
	}

	t.Log("Without a release the platform stays with the one that runs.")
	change(w, p, func(p *v1alpha1.StreamingPlatform) { p.Spec.Release = "" })
	w.ready(p)
	o.settle()
	if diff := cmp.Diff(without(before, "StreamingPlatform/acme"), without(w.versions(), "StreamingPlatform/acme")); diff != "" {
		t.Errorf("what runs was changed (-before +after):\n%s", diff)
	}

	t.Log("A release that is asked for is rolled out.")
	change(w, p, func(p *v1alpha1.StreamingPlatform) { p.Spec.Release = "2.0.0" })
	w.ready(p)
	for _, name := range []string{"gateway", "streaming"} {
		if image := get(w, "acme-"+name, &v1alpha1.Microservice{}).Spec.Image; image != "registry.test/"+name+":2.0.0" {
			t.Errorf("image %s", image)
		}
	}
}
