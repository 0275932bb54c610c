package desired

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

func nodeSelector(m *v1alpha1.Microservice) map[string]string {
	var all map[string]string
	for key, value := range m.Spec.NodeSelector {
		if all == nil {
			all = map[string]string{}
		}
		all[key] = string(value)
	}
	return all
}

// spread puts the pods of one revision on different zones and nodes where that
// is possible, and starts them anyway where it is not, unless the spec says
// otherwise.
func spread(m *v1alpha1.Microservice, slot string) []corev1.TopologySpreadConstraint {
	var all []corev1.TopologySpreadConstraint
	for _, own := range m.Spec.TopologySpread {
		c := *own.DeepCopy()
		if c.LabelSelector == nil {
			countRevision(&c, m, slot)
		}
		all = append(all, c)
	}
	if all != nil {
		return all
	}
	for _, key := range []string{corev1.LabelTopologyZone, corev1.LabelHostname} {
		c := corev1.TopologySpreadConstraint{
			MaxSkew: 1, TopologyKey: key, WhenUnsatisfiable: corev1.ScheduleAnyway,
		}
		countRevision(&c, m, slot)
		all = append(all, c)
	}
	return all
}

// countRevision lets a constraint count the pods of the newest revision only:
// those that are about to go must not keep it from a balance.
func countRevision(c *corev1.TopologySpreadConstraint, m *v1alpha1.Microservice, slot string) {
	c.LabelSelector = &metav1.LabelSelector{MatchLabels: SlotSelector(m, slot)}
	if len(c.MatchLabelKeys) == 0 {
		c.MatchLabelKeys = []string{"pod-template-hash"}
	}
}
