package desired

import (
	"strings"
	"testing"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"

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
	single := []v1alpha1.Storage{{Name: "data", Kind: v1alpha1.StorageSingle, Size: "1Gi", MountPath: "/data"}}
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
		"storage for one pod with autoscaling": {
			func(s *v1alpha1.WorkloadSpec) { s.Storage = single },
			"autoscaling: storage of kind Single is for one pod: remove it, or use Shared",
		},
		"storage for one pod with several": {
			func(s *v1alpha1.WorkloadSpec) { s.Storage, s.Autoscaling, s.Replicas = single, nil, new(int32(2)) },
			"replicas: storage of kind Single is for one pod: set it to 1 or 0, or use Shared",
		},
		"storage for one pod with a surge": {
			func(s *v1alpha1.WorkloadSpec) {
				s.Storage, s.Autoscaling, s.Rollout = single, nil, &v1alpha1.Rollout{MaxSurge: new(intstr.FromInt32(1))}
			},
			"rollout.maxSurge: storage of kind Single is for one pod, which ends before the next one starts: remove it",
		},
		"storage for one pod that may be missing": {
			func(s *v1alpha1.WorkloadSpec) {
				s.Storage, s.Autoscaling, s.Rollout = single, nil, &v1alpha1.Rollout{MaxUnavailable: new(intstr.FromInt32(1))}
			},
			"rollout.maxUnavailable: storage of kind Single is for one pod, which ends before the next one starts: remove it",
		},
		"storage for one pod with a strategy of two slots": {
			func(s *v1alpha1.WorkloadSpec) {
				s.Storage, s.Autoscaling, s.Rollout = single, nil, &v1alpha1.Rollout{Strategy: "Canary"}
			},
			"rollout.strategy: storage of kind Single is for one pod, which ends before the next one starts: remove it",
		},
		"storage for one pod with a migration": {
			func(s *v1alpha1.WorkloadSpec) {
				s.Storage, s.Autoscaling, s.Migration = single, nil, &v1alpha1.Migration{Image: "a"}
			},
			"migration: storage of kind Single is for one pod, and a migration runs beside it: use an init container instead",
		},
		"a migration that is the service": {
			func(s *v1alpha1.WorkloadSpec) { s.Migration = &v1alpha1.Migration{} },
			"migration: set image, command or args: the service itself does not end",
		},
		"storage for one pod": {
			func(s *v1alpha1.WorkloadSpec) { s.Storage, s.Autoscaling, s.Replicas = single, nil, new(int32(1)) }, "",
		},
		"storage with the name of a volume": {
			func(s *v1alpha1.WorkloadSpec) {
				s.Storage = []v1alpha1.Storage{{Name: "a", MountPath: "/a"}}
				s.Volumes = []v1alpha1.Volume{{Name: "a", EmptyDir: &v1alpha1.EmptyDir{}}}
			},
			"storage[a].name: a volume has it: choose another",
		},
		"storage at the path of a file": {
			func(s *v1alpha1.WorkloadSpec) {
				s.Storage = []v1alpha1.Storage{{Name: "a", MountPath: "/a"}}
				s.Files = []v1alpha1.File{{MountPath: "/a"}}
			},
			"storage[a].mountPath: a volume or file has it: choose another",
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
		"External needs a number to start with": {
			func(s *v1alpha1.WorkloadSpec) {
				s.Autoscaling = &v1alpha1.Autoscaling{Mode: v1alpha1.AutoscalingExternal}
			},
			"replicas: required with autoscaling.mode External: the number of pods to start with",
		},
		"External with a number, and no cpu request": {
			func(s *v1alpha1.WorkloadSpec) {
				s.Autoscaling, s.Replicas, s.Resources = &v1alpha1.Autoscaling{Mode: v1alpha1.AutoscalingExternal}, new(int32(0)), nil
			},
			"",
		},
		"External with a bound": {
			func(s *v1alpha1.WorkloadSpec) {
				s.Autoscaling.Mode, s.Replicas = v1alpha1.AutoscalingExternal, new(int32(1))
			},
			"autoscaling.mode: External leaves bounds, targets, behavior and schedules to the other autoscaler: remove them",
		},
		"no bounds": {
			func(s *v1alpha1.WorkloadSpec) { s.Autoscaling = &v1alpha1.Autoscaling{MaxReplicas: 2} },
			"autoscaling.minReplicas: required",
		},
		"no upper bound": {
			func(s *v1alpha1.WorkloadSpec) { s.Autoscaling.MaxReplicas = 0 }, "autoscaling.maxReplicas: required",
		},
		"a memory target without a number": {
			func(s *v1alpha1.WorkloadSpec) { s.Autoscaling.Memory = &v1alpha1.MemoryTarget{} },
			"autoscaling.memory: set exactly one of averageUtilization and averageValue",
		},
		"a memory target with two numbers": {
			func(s *v1alpha1.WorkloadSpec) {
				s.Autoscaling.Memory = &v1alpha1.MemoryTarget{AverageUtilization: 1, AverageValue: new(resource.MustParse("1Gi"))}
			},
			"autoscaling.memory: set exactly one of averageUtilization and averageValue",
		},
		"utilization of memory without a request": {
			func(s *v1alpha1.WorkloadSpec) {
				s.Autoscaling.Memory, s.Resources.Limits = &v1alpha1.MemoryTarget{AverageUtilization: 80}, nil
			},
			"resources.requests.memory: required by autoscaling on the utilization of memory",
		},
		"a memory limit is a request": {
			func(s *v1alpha1.WorkloadSpec) { s.Autoscaling.Memory = &v1alpha1.MemoryTarget{AverageUtilization: 80} }, "",
		},
		"a value of memory alone needs no request": {
			func(s *v1alpha1.WorkloadSpec) {
				s.Autoscaling.Memory, s.Resources = &v1alpha1.MemoryTarget{AverageValue: new(resource.MustParse("1Gi"))}, nil
			},
			"",
		},
		"metrics alone need no request": {
			func(s *v1alpha1.WorkloadSpec) {
				s.Autoscaling.Metrics, s.Resources = []autoscalingv2.MetricSpec{{Type: "Pods"}}, nil
			},
			"",
		},
		"a budget without a limit": {
			func(s *v1alpha1.WorkloadSpec) {
				s.Disruption = &v1alpha1.Disruption{Mode: v1alpha1.DisruptionUnlimited, MaxUnavailable: new(intstr.FromInt32(1))}
			},
			"disruption.maxUnavailable: has no meaning with mode Unlimited: remove one of them",
		},
		"a budget out of bounds": {
			func(s *v1alpha1.WorkloadSpec) {
				s.Disruption = &v1alpha1.Disruption{MaxUnavailable: new(intstr.FromInt32(-1))}
			},
			"disruption.maxUnavailable: -1 is neither between 0 and 1000 nor a percentage",
		},
		"a volume of nothing": {
			func(s *v1alpha1.WorkloadSpec) { s.Volumes = []v1alpha1.Volume{{Name: "v"}} },
			"volumes[v]: set exactly one of emptyDir, configMap, secret, persistentVolumeClaim and ephemeral",
		},
		"a volume of two sources": {
			func(s *v1alpha1.WorkloadSpec) {
				s.Volumes = []v1alpha1.Volume{{Name: "v", EmptyDir: &v1alpha1.EmptyDir{}, Secret: &v1alpha1.ObjectVolume{Name: "s"}}}
			},
			"volumes[v]: set exactly one of emptyDir, configMap, secret, persistentVolumeClaim and ephemeral",
		},
		"a volume with our name": {
			func(s *v1alpha1.WorkloadSpec) {
				s.Volumes = []v1alpha1.Volume{{Name: "streamplane-files", EmptyDir: &v1alpha1.EmptyDir{}}}
			},
			"volumes[streamplane-files]: the name of the volume of files: choose another",
		},
		"mount of a missing volume in a sidecar": {
			func(s *v1alpha1.WorkloadSpec) {
				s.Sidecars = []v1alpha1.Sidecar{{InitContainer: v1alpha1.InitContainer{
					Name: "proxy", VolumeMounts: []v1alpha1.VolumeMount{{Name: "index", MountPath: "/index"}},
				}}}
			},
			`volumeMounts[/index]: there is no volume "index": add it to volumes`,
		},
		"a file at the place of a volume": {
			func(s *v1alpha1.WorkloadSpec) {
				s.Volumes = []v1alpha1.Volume{{Name: "v", EmptyDir: &v1alpha1.EmptyDir{}}}
				s.VolumeMounts = []v1alpha1.VolumeMount{{Name: "v", MountPath: "/v"}}
				s.Files = []v1alpha1.File{{MountPath: "/v"}}
			},
			"files[/v]: a volume has that mountPath: change one of them",
		},
		"a file at the place of /tmp": {
			func(s *v1alpha1.WorkloadSpec) { s.Files = []v1alpha1.File{{MountPath: "/tmp"}} },
			"files[/tmp]: a volume has that mountPath: change one of them",
		},
		"files as large as may be": {
			func(s *v1alpha1.WorkloadSpec) {
				s.Files = []v1alpha1.File{{MountPath: "/a", Content: strings.Repeat("x", 524288)}}
			},
			"",
		},
		"files too large": {
			func(s *v1alpha1.WorkloadSpec) {
				s.Files = []v1alpha1.File{{MountPath: "/a", Content: strings.Repeat("x", 524288)}, {MountPath: "/b", Content: "x"}}
			},
			"files: 524289 bytes together, more than 524288: bring them with the image or a volume",
		},
		"an init container with the name of the main one": {
			func(s *v1alpha1.WorkloadSpec) { s.InitContainers = []v1alpha1.InitContainer{{Name: "app"}} },
			"initContainers[app]: the name of the main container: choose another",
		},
		"a sidecar with the name of the main one": {
			func(s *v1alpha1.WorkloadSpec) {
				s.Sidecars = []v1alpha1.Sidecar{{InitContainer: v1alpha1.InitContainer{Name: "app"}}}
			},
			"sidecars[app]: the name of the main container: choose another",
		},
		"a sidecar with the name of an init container": {
			func(s *v1alpha1.WorkloadSpec) {
				s.InitContainers = []v1alpha1.InitContainer{{Name: "x"}}
				s.Sidecars = []v1alpha1.Sidecar{{InitContainer: v1alpha1.InitContainer{Name: "x"}}}
			},
			"sidecars[x]: the name of an init container: choose another",
		},
		"variables from nothing": {
			func(s *v1alpha1.WorkloadSpec) { s.EnvFrom = []v1alpha1.EnvFromSource{{Prefix: "A"}} },
			"envFrom[0]: set exactly one of secretRef and configMapRef",
		},
		"host names through the gateway": {
			func(s *v1alpha1.WorkloadSpec) {
				s.Expose = &v1alpha1.Expose{Paths: []v1alpha1.RoutePath{"/a"}}
				s.Expose.Hostnames = []v1alpha1.Hostname{"a.example.com"}
			},
			"expose: parentRefs, hostnames, ingress and timeouts are for mode Direct: set it, or remove them",
		},
		"a timeout of the gateway without it": {
			func(s *v1alpha1.WorkloadSpec) {
				s.Expose = &v1alpha1.Expose{Mode: v1alpha1.ExposeDirect, Timeout: "1s"}
			},
			"expose.timeout: is for mode Gateway, timeouts for mode Direct",
		},
		"an attempt longer than the request": {
			func(s *v1alpha1.WorkloadSpec) {
				s.Expose = &v1alpha1.Expose{Mode: v1alpha1.ExposeDirect, Timeouts: &v1alpha1.RouteTimeouts{Request: "1s", BackendRequest: "1s1ms"}}
			},
			"expose.timeouts.backendRequest: must not exceed request",
		},
		"an annotation of ours on an Ingress": {
			func(s *v1alpha1.WorkloadSpec) {
				s.Expose = &v1alpha1.Expose{Mode: v1alpha1.ExposeDirect}
				s.Expose.Ingress = &v1alpha1.Ingress{Annotations: map[string]v1alpha1.AnnotationValue{"streamplane.dev/x": "x"}}
			},
			"expose.ingress.annotations[streamplane.dev/x]: belongs to the operator: remove it",
		},
		"triggers without KEDA": {
			func(s *v1alpha1.WorkloadSpec) {
				s.Autoscaling = &v1alpha1.Autoscaling{MinReplicas: 1, MaxReplicas: 2, Triggers: []v1alpha1.ScalingTrigger{{Type: "cron"}}}
				s.Resources = &corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1")}}
			},
			"autoscaling.triggers: need mode KEDA",
		},
		"KEDA without anything to measure": {
			func(s *v1alpha1.WorkloadSpec) {
				s.Autoscaling = &v1alpha1.Autoscaling{Mode: v1alpha1.AutoscalingKEDA, MinReplicas: 1, MaxReplicas: 2}
			},
			"autoscaling.triggers: mode KEDA needs triggers, cpu or memory",
		},
		"metrics of KEDA": {
			func(s *v1alpha1.WorkloadSpec) {
				s.Autoscaling = &v1alpha1.Autoscaling{
					Mode: v1alpha1.AutoscalingKEDA, MinReplicas: 1, MaxReplicas: 2, Metrics: []autoscalingv2.MetricSpec{{}},
				}
			},
			"autoscaling.metrics: mode KEDA takes triggers instead",
		},
		"a label of ours on a ServiceMonitor": {
			func(s *v1alpha1.WorkloadSpec) {
				s.Metrics = &v1alpha1.Metrics{Labels: map[string]v1alpha1.LabelValue{"app.kubernetes.io/name": "x"}}
			},
			"metrics.labels[app.kubernetes.io/name]: the operator sets it itself: remove it",
		},
		"a label of a ServiceMonitor that is none": {
			func(s *v1alpha1.WorkloadSpec) {
				s.Metrics = &v1alpha1.Metrics{Labels: map[string]v1alpha1.LabelValue{"a b": "x"}}
			},
			"metrics.labels[a b]: name part must consist of...",
		},
		"a label of ours": {
			func(s *v1alpha1.WorkloadSpec) {
				s.PodLabels = map[string]v1alpha1.LabelValue{"app.kubernetes.io/instance": "x"}
			},
			"podLabels[app.kubernetes.io/instance]: the operator sets it itself: remove it",
		},
		"a label that we may need": {
			func(s *v1alpha1.WorkloadSpec) {
				s.PodLabels = map[string]v1alpha1.LabelValue{"streamplane.dev/new": "x"}
			},
			"podLabels[streamplane.dev/new]: the operator sets it itself: remove it",
		},
		"a label that is none": {
			func(s *v1alpha1.WorkloadSpec) { s.PodLabels = map[string]v1alpha1.LabelValue{"a b": "x"} },
			"podLabels[a b]: name part must consist of...",
		},
		"an annotation of ours": {
			func(s *v1alpha1.WorkloadSpec) {
				s.PodAnnotations = map[string]v1alpha1.AnnotationValue{"streamplane.dev/x": "x"}
			},
			"podAnnotations[streamplane.dev/x]: belongs to the operator: remove it",
		},
		"an annotation that is none": {
			func(s *v1alpha1.WorkloadSpec) { s.PodAnnotations = map[string]v1alpha1.AnnotationValue{"/": "x"} },
			"podAnnotations[/]: ...",
		},
		"a node selector that is none": {
			func(s *v1alpha1.WorkloadSpec) { s.NodeSelector = map[string]v1alpha1.LabelValue{"": "x"} },
			"nodeSelector[]: ...",
		},
		"null in the pod template": {
			func(s *v1alpha1.WorkloadSpec) { s.PodTemplate = patch(`{"spec": {"tolerations": [{"key": null}]}}`) },
			"podTemplate.spec.tolerations[0].key: null removes nothing: use {$patch: delete}",
		},
		"a pod template that is too large": {
			func(s *v1alpha1.WorkloadSpec) {
				s.PodTemplate = patch(`{"metadata": {"annotations": {"a": "` + strings.Repeat("x", 32768) + `"}}}`)
			},
			"podTemplate: 32808 bytes of JSON, more than 32768",
		},
		"a pod template that is no object": {
			func(s *v1alpha1.WorkloadSpec) { s.PodTemplate = patch(`[]`) }, "podTemplate: must be an object",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			spec := valid()
			tc.change(&spec)
			if got := Validate(spec); got != tc.want && !begins(got, tc.want) {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

// begins says whether a text is as wanted up to "...", where the words of
// others begin.
func begins(text, want string) bool {
	start, open := strings.CutSuffix(want, "...")
	return open && strings.HasPrefix(text, start)
}
