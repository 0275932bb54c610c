package desired

import (
	"cmp"
	"fmt"
	"path"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// MainContainer is the name of the container that runs the service.
const MainContainer = "app"

const (
	// nonRootID is the user and group of every container.
	nonRootID = 65532
	// drainSeconds is how long a stopping pod keeps serving, so that callers
	// and proxies hear that its address is gone before it closes.
	drainSeconds = 5

	defaultGracePeriodSeconds = 45
)

// renderedPod is the pod template before the patch of the spec. It meets the
// restricted Pod Security Standard.
func renderedPod(m *v1alpha1.Microservice, slot string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: podLabels(m, slot), Annotations: podAnnotations(m)},
		Spec: corev1.PodSpec{
			ServiceAccountName:            cmp.Or(m.Spec.ServiceAccountName, m.Name),
			AutomountServiceAccountToken:  new(false),
			EnableServiceLinks:            new(false),
			ImagePullSecrets:              pullSecrets(m.Spec.ImagePullSecrets),
			TerminationGracePeriodSeconds: new(gracePeriod(m)),
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot:        new(true),
				RunAsUser:           new(int64(nonRootID)),
				RunAsGroup:          new(int64(nonRootID)),
				FSGroup:             new(int64(nonRootID)),
				FSGroupChangePolicy: ownershipChange(m),
				SeccompProfile:      &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			NodeSelector:              nodeSelector(m),
			Tolerations:               m.Spec.Tolerations,
			Affinity:                  m.Spec.Affinity,
			TopologySpreadConstraints: spread(m, slot),
			PriorityClassName:         m.Spec.PriorityClassName,
			InitContainers:            append(sidecars(m), initContainers(m)...),
			Containers:                []corev1.Container{mainContainer(m)},
			Volumes:                   volumes(m),
		},
	}
}

func gracePeriod(m *v1alpha1.Microservice) int64 {
	if m.Spec.TerminationGracePeriodSeconds != nil {
		return *m.Spec.TerminationGracePeriodSeconds
	}
	return defaultGracePeriodSeconds
}

func mainContainer(m *v1alpha1.Microservice) corev1.Container {
	c := corev1.Container{
		Name:            MainContainer,
		Image:           m.Spec.Image,
		ImagePullPolicy: pullPolicy(m),
		Command:         m.Spec.Command,
		Args:            m.Spec.Args,
		Env:             environment(m),
		EnvFrom:         envFrom(m.Spec.EnvFrom),
		VolumeMounts:    append(volumeMounts(mounts(m)), fileMounts(m)...),
		SecurityContext: restricted(),
		Lifecycle: &corev1.Lifecycle{
			PreStop: &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: drainSeconds}},
		},
	}
	for _, p := range Ports(m) {
		c.Ports = append(c.Ports, corev1.ContainerPort{
			Name: p.Name, ContainerPort: p.Port, Protocol: corev1.ProtocolTCP,
		})
	}
	if m.Spec.Resources != nil {
		c.Resources = *m.Spec.Resources
	}
	if probes := m.Spec.Probes; probes != nil {
		c.StartupProbe, c.ReadinessProbe, c.LivenessProbe = probes.Startup, probes.Readiness, probes.Liveness
	} else {
		c.ReadinessProbe = tcpProbe(Ports(m)[0].Name)
	}
	return c
}

func tcpProbe(port string) *corev1.Probe {
	return &corev1.Probe{ProbeHandler: corev1.ProbeHandler{
		TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromString(port)},
	}}
}

func initContainers(m *v1alpha1.Microservice) []corev1.Container {
	var all []corev1.Container
	for _, i := range m.Spec.InitContainers {
		all = append(all, initContainer(m, i))
	}
	return all
}

// sidecars are init containers that go on running: Kubernetes starts them
// before the main container and stops them after it.
func sidecars(m *v1alpha1.Microservice) []corev1.Container {
	var all []corev1.Container
	for _, s := range m.Spec.Sidecars {
		c := initContainer(m, s.InitContainer)
		c.RestartPolicy = new(corev1.ContainerRestartPolicyAlways)
		if p := s.Probes; p != nil {
			c.StartupProbe, c.ReadinessProbe, c.LivenessProbe = p.Startup, p.Readiness, p.Liveness
		}
		all = append(all, c)
	}
	return all
}

func initContainer(m *v1alpha1.Microservice, i v1alpha1.InitContainer) corev1.Container {
	c := corev1.Container{
		Name:            i.Name,
		Image:           i.Image,
		ImagePullPolicy: pullPolicy(m),
		Command:         i.Command,
		Args:            i.Args,
		Env:             envVars(i.Env),
		VolumeMounts:    volumeMounts(i.VolumeMounts),
		SecurityContext: restricted(),
	}
	if i.Resources != nil {
		c.Resources = *i.Resources
	}
	return c
}

func restricted() *corev1.SecurityContext {
	return &corev1.SecurityContext{
		AllowPrivilegeEscalation: new(false),
		ReadOnlyRootFilesystem:   new(true),
		RunAsNonRoot:             new(true),
		Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
	}
}

func pullPolicy(m *v1alpha1.Microservice) corev1.PullPolicy {
	return cmp.Or(m.Spec.ImagePullPolicy, corev1.PullIfNotPresent)
}

// environment starts with what the operator knows, so that the spec's own
// variables can refer to it and override it.
func environment(m *v1alpha1.Microservice) []corev1.EnvVar {
	env := []corev1.EnvVar{
		fieldEnv("POD_NAME", "metadata.name"),
		fieldEnv("POD_NAMESPACE", "metadata.namespace"),
		{Name: "SERVICE_NAME", Value: ServiceName(m)},
		{Name: "SERVICE_VERSION", Value: imageVersion(m.Spec.Image)},
	}
	for _, c := range m.Spec.Calls {
		env = append(env, callEnv(m, c)...)
	}
	for _, own := range envVars(m.Spec.Env) {
		env = setEnv(env, own)
	}
	return env
}

// imageVersion is the tag or digest of an image. It is not the release: a new
// release must not roll a service whose image did not change.
func imageVersion(image string) string {
	if _, digest, found := strings.Cut(image, "@"); found {
		return digest
	}
	if _, tag, found := strings.Cut(path.Base(image), ":"); found {
		return tag
	}
	return "latest"
}

func setEnv(env []corev1.EnvVar, v corev1.EnvVar) []corev1.EnvVar {
	for i := range env {
		if env[i].Name == v.Name {
			env[i] = v
			return env
		}
	}
	return append(env, v)
}

func fieldEnv(name, field string) corev1.EnvVar {
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{
		FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: field},
	}}
}

// callEnv tells a service where and how patiently to call another.
func callEnv(m *v1alpha1.Microservice, c v1alpha1.Call) []corev1.EnvVar {
	prefix := strings.ToUpper(strings.ReplaceAll(c.To, "-", "_"))
	env := []corev1.EnvVar{{Name: prefix + "_URL", Value: calleeAddress(m, c)}}
	if c.Timeout != "" {
		env = append(env, corev1.EnvVar{Name: prefix + "_TIMEOUT", Value: c.Timeout})
	}
	if c.Retries != nil {
		env = append(env, corev1.EnvVar{Name: prefix + "_RETRIES", Value: fmt.Sprint(*c.Retries)})
	}
	return env
}

// calleeAddress leaves the cluster domain to the pod's DNS search path.
func calleeAddress(m *v1alpha1.Microservice, c v1alpha1.Call) string {
	host := HeadlessName(cmp.Or(c.Microservice, Name(m.Spec.PlatformRef.Name, c.To)))
	return fmt.Sprintf("http://%s.%s.svc:%d", host, m.Namespace, cmp.Or(c.Port, defaultPort))
}

// Address is where clients inside the cluster find a Microservice.
func Address(m *v1alpha1.Microservice) string {
	first := Ports(m)[0]
	return fmt.Sprintf("http://%s.%s.svc:%d", m.Name, m.Namespace, cmp.Or(first.ServicePort, first.Port))
}

func envVars(vars []v1alpha1.EnvVar) []corev1.EnvVar {
	var all []corev1.EnvVar
	for _, v := range vars {
		e := corev1.EnvVar{Name: v.Name, Value: v.Value}
		if from := v.ValueFrom; from != nil {
			e.ValueFrom = &corev1.EnvVarSource{}
			if ref := from.SecretKeyRef; ref != nil {
				e.ValueFrom.SecretKeyRef = &corev1.SecretKeySelector{
					LocalObjectReference: corev1.LocalObjectReference{Name: ref.Name}, Key: ref.Key,
				}
			}
			if ref := from.ConfigMapKeyRef; ref != nil {
				e.ValueFrom.ConfigMapKeyRef = &corev1.ConfigMapKeySelector{
					LocalObjectReference: corev1.LocalObjectReference{Name: ref.Name}, Key: ref.Key,
				}
			}
		}
		all = append(all, e)
	}
	return all
}

func envFrom(sources []v1alpha1.EnvFromSource) []corev1.EnvFromSource {
	var all []corev1.EnvFromSource
	for _, s := range sources {
		e := corev1.EnvFromSource{Prefix: s.Prefix}
		if s.SecretRef != nil {
			e.SecretRef = &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: s.SecretRef.Name}}
		}
		if s.ConfigMapRef != nil {
			e.ConfigMapRef = &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: s.ConfigMapRef.Name}}
		}
		all = append(all, e)
	}
	return all
}

func pullSecrets(refs []v1alpha1.LocalReference) []corev1.LocalObjectReference {
	var all []corev1.LocalObjectReference
	for _, r := range refs {
		all = append(all, corev1.LocalObjectReference{Name: r.Name})
	}
	return all
}
