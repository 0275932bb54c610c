package desired

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// serviceAccount gives each service an identity of its own. Its token is not
// mounted: services do not talk to the Kubernetes API.
func serviceAccount(m *v1alpha1.Microservice) *corev1.ServiceAccount {
	return &corev1.ServiceAccount{
		TypeMeta:                     metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"},
		ObjectMeta:                   objectMeta(m, m.Name),
		AutomountServiceAccountToken: new(false),
	}
}
