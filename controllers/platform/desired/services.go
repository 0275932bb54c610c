package desired

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/streamplane/streamplane/api/v1alpha1"
	microservice "github.com/streamplane/streamplane/controllers/microservice/desired"
)

// sampleMedia is the component whose image carries the sample videos.
const sampleMedia = "sample-media"

// A bundled service is one row of the table below.
type bundled struct {
	name string
	// sizes are the presets of replicas and resources.
	sizes map[v1alpha1.Size]preset
	// graceSeconds is how long a pod may take to finish what it serves.
	graceSeconds int64
	// sampleMedia gives the service the sample videos.
	sampleMedia bool
	calls       []string
	expose      *v1alpha1.Expose
	// routes lets the service follow a file with the paths of others.
	routes bool
}

// preset is what one size means for one service.
type preset struct {
	minReplicas, maxReplicas int32
	cpu, memory, memoryLimit string
}

// services is THE TABLE of bundled services. A service that a release has no
// image of is not part of that release.
func services() []bundled {
	return []bundled{
		{
			name: "streaming",
			sizes: map[v1alpha1.Size]preset{
				v1alpha1.SizeSmall:  {2, 6, "100m", "96Mi", "512Mi"},
				v1alpha1.SizeMedium: {3, 30, "500m", "256Mi", "1Gi"},
				v1alpha1.SizeLarge:  {6, 200, "1", "512Mi", "2Gi"},
			},
			graceSeconds: 75,
			sampleMedia:  true,
		},
		{
			name: microservice.GatewayName,
			sizes: map[v1alpha1.Size]preset{
				v1alpha1.SizeSmall:  {2, 6, "100m", "64Mi", "256Mi"},
				v1alpha1.SizeMedium: {3, 30, "500m", "128Mi", "512Mi"},
				v1alpha1.SizeLarge:  {6, 200, "1", "256Mi", "1Gi"},
			},
			graceSeconds: 45,
			calls:        []string{"streaming"},
			expose:       &v1alpha1.Expose{Mode: v1alpha1.ExposeDirect},
			routes:       true,
		},
	}
}

// workload is the specification of a bundled service before the user's fields
// are merged over it.
func (b bundled) workload(size v1alpha1.Size, image string) v1alpha1.WorkloadSpec {
	preset := b.sizes[size]
	spec := v1alpha1.WorkloadSpec{
		Image: image,
		Ports: []v1alpha1.Port{
			{Name: "http", Port: 8080, ServicePort: 80},
			{Name: "metrics", Port: 9090},
		},
		Resources: &corev1.ResourceRequirements{
			Requests: corev1.ResourceList{
				corev1.ResourceCPU:    resource.MustParse(preset.cpu),
				corev1.ResourceMemory: resource.MustParse(preset.memory),
			},
			Limits: corev1.ResourceList{
				corev1.ResourceMemory: resource.MustParse(preset.memoryLimit),
			},
		},
		Probes:                        healthProbes(),
		Autoscaling:                   &v1alpha1.Autoscaling{MinReplicas: preset.minReplicas, MaxReplicas: preset.maxReplicas},
		TerminationGracePeriodSeconds: new(b.graceSeconds),
		Expose:                        b.expose,
	}
	for _, callee := range b.calls {
		spec.Calls = append(spec.Calls, v1alpha1.Call{To: callee})
	}
	return spec
}

// healthProbes ask on the metrics port, so that a flood of viewers cannot make
// a pod look dead. They are patient: a busy pod must not be restarted.
func healthProbes() *v1alpha1.Probes {
	return &v1alpha1.Probes{
		Startup:   probe("/livez", 1, 60),
		Readiness: probe("/readyz", 2, 2),
		Liveness:  probe("/livez", 10, 6),
	}
}

func probe(path string, period, failures int32) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
			Path: path, Port: intstr.FromString("metrics"), Scheme: corev1.URISchemeHTTP,
		}},
		PeriodSeconds:    period,
		TimeoutSeconds:   2,
		SuccessThreshold: 1,
		FailureThreshold: failures,
	}
}

// withSampleMedia lets an init container copy the sample videos into the
// folder that the streaming service reads.
func withSampleMedia(spec v1alpha1.WorkloadSpec, image string) v1alpha1.WorkloadSpec {
	const folder = "/media"
	mount := v1alpha1.VolumeMount{Name: "media", MountPath: folder}
	spec.Volumes = append(spec.Volumes, v1alpha1.Volume{
		Name: "media", EmptyDir: &v1alpha1.EmptyDir{SizeLimit: "1Gi"},
	})
	spec.InitContainers = append(spec.InitContainers, v1alpha1.InitContainer{
		Name:         sampleMedia,
		Image:        image,
		Args:         []string{"--to=" + folder},
		VolumeMounts: []v1alpha1.VolumeMount{mount},
		Resources: &corev1.ResourceRequirements{
			Requests: corev1.ResourceList{
				corev1.ResourceCPU:    resource.MustParse("50m"),
				corev1.ResourceMemory: resource.MustParse("32Mi"),
			},
			Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("128Mi")},
		},
	})
	mount.ReadOnly = true
	spec.VolumeMounts = append(spec.VolumeMounts, mount)
	spec.Env = append(spec.Env, v1alpha1.EnvVar{Name: "MEDIA_URL", Value: "file://" + folder})
	return spec
}

// withRoutes mounts the routes of a Microservice, of which there may be none.
func withRoutes(spec v1alpha1.WorkloadSpec, name string) v1alpha1.WorkloadSpec {
	const folder = "/etc/streamplane/routes"
	spec.Volumes = append(spec.Volumes, v1alpha1.Volume{
		Name: "routes", ConfigMap: &v1alpha1.ObjectVolume{Name: microservice.RoutesName(name), Optional: true},
	})
	spec.VolumeMounts = append(spec.VolumeMounts, v1alpha1.VolumeMount{Name: "routes", MountPath: folder, ReadOnly: true})
	spec.Env = append(spec.Env, v1alpha1.EnvVar{Name: "ROUTES_FILE", Value: folder + "/" + microservice.RoutesFile})
	return spec
}
