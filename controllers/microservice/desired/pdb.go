package desired

import (
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// needsBudget says whether drains must be held up. A single pod has no budget
// unless the spec asks for one.
func needsBudget(m *v1alpha1.Microservice) bool {
	d := m.Spec.Disruption
	switch {
	case d != nil && d.Mode == v1alpha1.DisruptionUnlimited:
		return false
	case d != nil && d.MaxUnavailable != nil:
		return true
	default:
		return MinReplicas(m) > 1 || ScaledElsewhere(m)
	}
}

// DrainShare is how many pods of a slot, or which percentage, a drain may take
// at once.
func DrainShare(m *v1alpha1.Microservice) intstr.IntOrString {
	if d := m.Spec.Disruption; d != nil && d.MaxUnavailable != nil {
		return *d.MaxUnavailable
	}
	return intstr.FromInt32(1)
}

// podDisruptionBudget lets drains take few pods of a slot at a time. Pods that
// are not ready never hold a drain up.
func podDisruptionBudget(m *v1alpha1.Microservice, slot string) *policyv1.PodDisruptionBudget {
	return &policyv1.PodDisruptionBudget{
		TypeMeta:   metav1.TypeMeta{APIVersion: "policy/v1", Kind: "PodDisruptionBudget"},
		ObjectMeta: slotMeta(m, slot),
		Spec: policyv1.PodDisruptionBudgetSpec{
			MaxUnavailable:             new(DrainShare(m)),
			Selector:                   &metav1.LabelSelector{MatchLabels: SlotSelector(m, slot)},
			UnhealthyPodEvictionPolicy: new(policyv1.AlwaysAllow),
		},
	}
}
