package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
)

// workload is what runs a service without a Microservice. All but the Deployment
// may be missing.
type workload struct {
	deployment *appsv1.Deployment
	autoscaler *autoscalingv2.HorizontalPodAutoscaler
	service    *corev1.Service
}

// callLabel begins the label of pods that call a service.
const callLabel = "calls.streamplane.dev/"

// microserviceOf describes what runs as a Microservice. What it cannot express
// it leaves out: the API server's answer to a dry-run shows that.
func microserviceOf(r workload, platform, name, service string) *v1alpha1.Microservice {
	d := r.deployment
	m := &v1alpha1.Microservice{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "Microservice"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: d.Namespace},
	}
	m.Spec.PlatformRef.Name, m.Spec.ServiceName = platform, service
	pod := d.Spec.Template
	spec := &m.Spec.WorkloadSpec
	main := max(0, slices.IndexFunc(pod.Spec.Containers, func(c corev1.Container) bool { return c.Name == desired.MainContainer }))
	describeContainer(spec, pod.Spec.Containers[main], pod.Labels, platform)
	if r.service != nil {
		offer(spec.Ports, r.service.Spec.Ports)
	}
	spec.ImagePullSecrets = convert[[]v1alpha1.LocalReference](pod.Spec.ImagePullSecrets)
	spec.TerminationGracePeriodSeconds = pod.Spec.TerminationGracePeriodSeconds
	if pod.Spec.ServiceAccountName != name {
		spec.ServiceAccountName = pod.Spec.ServiceAccountName
	}
	spec.NodeSelector = convert[map[string]v1alpha1.LabelValue](pod.Spec.NodeSelector)
	spec.Tolerations, spec.Affinity, spec.PriorityClassName = pod.Spec.Tolerations, pod.Spec.Affinity, pod.Spec.PriorityClassName
	spec.PodLabels = convert[map[string]v1alpha1.LabelValue](without(pod.Labels, "app.kubernetes.io/", "streamplane.dev/", callLabel))
	spec.PodAnnotations = convert[map[string]v1alpha1.AnnotationValue](without(pod.Annotations, "streamplane.dev/", "kubectl.kubernetes.io/"))
	spec.Rollout = rolloutOf(d)
	if r.autoscaler == nil {
		spec.Replicas = d.Spec.Replicas
	} else {
		spec.Autoscaling = autoscalingOf(r.autoscaler.Spec)
	}
	return m
}

func describeContainer(spec *v1alpha1.WorkloadSpec, c corev1.Container, labels map[string]string, platform string) {
	spec.Image, spec.ImagePullPolicy, spec.Command, spec.Args = c.Image, c.ImagePullPolicy, c.Command, c.Args
	for _, p := range c.Ports {
		spec.Ports = append(spec.Ports, v1alpha1.Port{Name: p.Name, Port: p.ContainerPort})
	}
	env := map[string]string{}
	for _, e := range c.Env {
		env[e.Name] = e.Value
	}
	known := map[string]bool{"POD_NAME": true, "POD_NAMESPACE": true, "SERVICE_NAME": true, "SERVICE_VERSION": true}
	for _, e := range c.Env {
		to := strings.ToLower(strings.ReplaceAll(strings.TrimSuffix(e.Name, "_URL"), "_", "-"))
		if _, calls := labels[callLabel+to]; calls && strings.HasSuffix(e.Name, "_URL") {
			spec.Calls = append(spec.Calls, callOf(to, env, platform))
			for _, suffix := range []string{"_URL", "_TIMEOUT", "_RETRIES"} {
				known[strings.TrimSuffix(e.Name, "_URL")+suffix] = true
			}
		}
	}
	for _, e := range c.Env {
		if !known[e.Name] {
			spec.Env = append(spec.Env, convert[v1alpha1.EnvVar](e))
		}
	}
	spec.EnvFrom = convert[[]v1alpha1.EnvFromSource](c.EnvFrom)
	if len(c.Resources.Requests)+len(c.Resources.Limits) > 0 {
		spec.Resources = &c.Resources
	}
	spec.Probes = &v1alpha1.Probes{Startup: c.StartupProbe, Readiness: c.ReadinessProbe, Liveness: c.LivenessProbe}
}

// callOf reads back what the operator told a service about one that it calls.
func callOf(to string, env map[string]string, platform string) v1alpha1.Call {
	prefix := strings.ToUpper(strings.ReplaceAll(to, "-", "_"))
	c := v1alpha1.Call{To: to, Timeout: env[prefix+"_TIMEOUT"]}
	if n, err := strconv.ParseInt(env[prefix+"_RETRIES"], 10, 32); err == nil {
		c.Retries = new(int32(n))
	}
	address, err := url.Parse(env[prefix+"_URL"])
	if err != nil {
		return c
	}
	if port, err := strconv.ParseInt(address.Port(), 10, 32); err == nil {
		c.Port = int32(port)
	}
	host, _, _ := strings.Cut(address.Hostname(), ".")
	if callee, ok := strings.CutSuffix(host, "-headless"); ok && callee != desired.Name(platform, to) {
		c.Microservice = callee
	}
	return c
}

// offer finds the ports under which a Service offers those of the container.
func offer(ports []v1alpha1.Port, offered []corev1.ServicePort) {
	for i := range ports {
		for _, o := range offered {
			if o.Name == ports[i].Name && o.Port != ports[i].Port {
				ports[i].ServicePort = o.Port
			}
		}
	}
}

func rolloutOf(d *appsv1.Deployment) *v1alpha1.Rollout {
	r := &v1alpha1.Rollout{ProgressDeadlineSeconds: d.Spec.ProgressDeadlineSeconds}
	if u := d.Spec.Strategy.RollingUpdate; u != nil {
		r.MaxSurge, r.MaxUnavailable = u.MaxSurge, u.MaxUnavailable
	}
	return r
}

func autoscalingOf(hpa autoscalingv2.HorizontalPodAutoscalerSpec) *v1alpha1.Autoscaling {
	a := &v1alpha1.Autoscaling{MinReplicas: 1, MaxReplicas: hpa.MaxReplicas, Behavior: hpa.Behavior}
	if hpa.MinReplicas != nil {
		a.MinReplicas = *hpa.MinReplicas
	}
	for _, m := range hpa.Metrics {
		c := m.ContainerResource
		switch {
		case c == nil || c.Container != desired.MainContainer:
			a.Metrics = append(a.Metrics, m)
		case c.Name == corev1.ResourceCPU && c.Target.AverageUtilization != nil:
			a.CPU = &v1alpha1.CPUTarget{AverageUtilization: *c.Target.AverageUtilization}
		case c.Name == corev1.ResourceMemory && c.Target.AverageUtilization != nil:
			a.Memory = &v1alpha1.MemoryTarget{AverageUtilization: *c.Target.AverageUtilization}
		case c.Name == corev1.ResourceMemory:
			a.Memory = &v1alpha1.MemoryTarget{AverageValue: c.Target.AverageValue}
		default:
			a.Metrics = append(a.Metrics, m)
		}
	}
	return a
}

// without is a map without the keys that begin in one of these ways.
func without(all map[string]string, prefixes ...string) map[string]string {
	rest := maps.Clone(all)
	maps.DeleteFunc(rest, func(key, _ string) bool {
		return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(key, prefix) })
	})
	if len(rest) == 0 {
		return nil
	}
	return rest
}

// convert reads a type of Kubernetes as ours, which has the same names and fewer
// fields. What does not fit stays empty.
func convert[T any](from any) T {
	var to, none T
	data, err := json.Marshal(from)
	if err != nil {
		return none
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&to) != nil {
		return none
	}
	return to
}
