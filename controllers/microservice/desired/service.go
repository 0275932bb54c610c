package desired

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

const defaultPort = 8080

// service is the stable address of a Microservice. It follows the stable slot.
func service(m *v1alpha1.Microservice, slot string) *corev1.Service {
	s := slotService(m, m.Name, slot)
	for _, p := range Ports(m) {
		port := p.ServicePort
		if port == 0 {
			port = p.Port
		}
		s.Spec.Ports = append(s.Spec.Ports, servicePort(p.Name, port))
	}
	return s
}

// headlessService resolves to the pods of the stable slot, so that callers can
// balance each request: a virtual IP would pin their pooled connections.
func headlessService(m *v1alpha1.Microservice, slot string) *corev1.Service {
	s := slotService(m, HeadlessName(m.Name), slot)
	s.Labels[LabelHeadless] = "true"
	s.Spec.ClusterIP = corev1.ClusterIPNone
	for _, p := range Ports(m) {
		s.Spec.Ports = append(s.Spec.Ports, servicePort(p.Name, p.Port))
	}
	return s
}

func slotService(m *v1alpha1.Microservice, name, slot string) *corev1.Service {
	return &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: objectMeta(m, name),
		Spec: corev1.ServiceSpec{
			Type:     corev1.ServiceTypeClusterIP,
			Selector: SlotSelector(m, slot),
		},
	}
}

// servicePort refers to the container's port by name, so that both may change
// independently.
func servicePort(name string, port int32) corev1.ServicePort {
	return corev1.ServicePort{
		Name:       name,
		Port:       port,
		TargetPort: intstr.FromString(name),
		Protocol:   corev1.ProtocolTCP,
	}
}

// Ports are the ports of the main container, the traffic port first.
func Ports(m *v1alpha1.Microservice) []v1alpha1.Port {
	if len(m.Spec.Ports) > 0 {
		return m.Spec.Ports
	}
	return []v1alpha1.Port{{Name: "http", Port: defaultPort}}
}
