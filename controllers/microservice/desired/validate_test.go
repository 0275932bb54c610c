package desired

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

func TestValidate(t *testing.T) {
	valid := func() v1alpha1.WorkloadSpec {
		return v1alpha1.WorkloadSpec{
			Image:       "registry.test/x:1",
			Autoscaling: &v1alpha1.Autoscaling{MinReplicas: 2, MaxReplicas: 6},
			Resources: &corev1.ResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m")},
				Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")},
			},
		}
	}
	cases := map[string]struct {
		change func(*v1alpha1.WorkloadSpec)
		want   string
	}{
		"valid": {func(*v1alpha1.WorkloadSpec) {}, ""},
		"no image": {
			func(s *v1alpha1.WorkloadSpec) { s.Image = "" },
			"image: required, because the service is not a bundled one of this release",
		},
		"replicas and autoscaling": {
			func(s *v1alpha1.WorkloadSpec) { s.Replicas = new(int32(2)) },
			"replicas: mutually exclusive with autoscaling: remove one of them, or set autoscaling.mode to External",
		},
		"min above max": {
			func(s *v1alpha1.WorkloadSpec) { s.Autoscaling.MinReplicas = 7 },
			"autoscaling.minReplicas: 7 exceeds maxReplicas 6",
		},
		"min equals max": {func(s *v1alpha1.WorkloadSpec) { s.Autoscaling.MinReplicas = 6 }, ""},
		"autoscaling without resources": {
			func(s *v1alpha1.WorkloadSpec) { s.Resources = nil },
			"resources.requests.cpu: required by autoscaling on cpu",
		},
		"autoscaling without a cpu request": {
			func(s *v1alpha1.WorkloadSpec) { delete(s.Resources.Requests, corev1.ResourceCPU) },
			"resources.requests.cpu: required by autoscaling on cpu",
		},
		"a cpu limit is a request": {
			func(s *v1alpha1.WorkloadSpec) {
				delete(s.Resources.Requests, corev1.ResourceCPU)
				s.Resources.Limits[corev1.ResourceCPU] = resource.MustParse("1")
			},
			"",
		},
		"no cpu request without autoscaling": {
			func(s *v1alpha1.WorkloadSpec) { s.Resources, s.Autoscaling = nil, nil }, "",
		},
		"mount of a missing volume": {
			func(s *v1alpha1.WorkloadSpec) {
				s.VolumeMounts = []v1alpha1.VolumeMount{{Name: "index", MountPath: "/index"}}
			},
			`volumeMounts[/index]: there is no volume "index": add it to volumes`,
		},
		"mount of a missing volume in an init container": {
			func(s *v1alpha1.WorkloadSpec) {
				s.InitContainers = []v1alpha1.InitContainer{{
					Name: "fetch", VolumeMounts: []v1alpha1.VolumeMount{{Name: "index", MountPath: "/index"}},
				}}
			},
			`volumeMounts[/index]: there is no volume "index": add it to volumes`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			spec := valid()
			tc.change(&spec)
			if got := Validate(spec); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}
