package desired

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"strings"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// Labels and annotations that the operator sets.
const (
	LabelName      = "app.kubernetes.io/name"
	LabelInstance  = "app.kubernetes.io/instance"
	LabelPartOf    = "app.kubernetes.io/part-of"
	LabelVersion   = "app.kubernetes.io/version"
	LabelManagedBy = "app.kubernetes.io/managed-by"
	LabelSlot      = "streamplane.dev/slot"
	// LabelHeadless tells the headless Service from the other one.
	LabelHeadless = "streamplane.dev/headless"
	// labelCalls begins the label of pods that call the service named after it.
	labelCalls = "calls.streamplane.dev/"

	// ownPrefix begins the labels and annotations that only the operator sets.
	ownPrefix = "streamplane.dev/"
	// appPrefix begins the labels that Kubernetes recommends.
	appPrefix = "app.kubernetes.io/"

	// ManagedBy is the value of LabelManagedBy on everything the operator makes.
	ManagedBy = "streamplane"
)

// SlotBlue is the slot that a service starts in.
const SlotBlue = "blue"

const (
	maxNameLength  = 63
	nameHashLength = 8
)

// Name joins parts with dashes. A result of more than 63 characters, the limit
// of label values and Service names, is cut and ends in a hash of the whole.
func Name(parts ...string) string {
	name := strings.Join(parts, "-")
	if len(name) <= maxNameLength {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	hash := hex.EncodeToString(sum[:])[:nameHashLength]
	head := strings.TrimRight(name[:maxNameLength-nameHashLength-1], "-")
	return head + "-" + hash
}

// ServiceName is the service's name inside its platform.
func ServiceName(m *v1alpha1.Microservice) string {
	if m.Spec.ServiceName != "" {
		return m.Spec.ServiceName
	}
	return m.Name
}

// HeadlessName is the name of the Service that resolves to the pods of a
// Microservice, for callers that balance each request themselves.
func HeadlessName(microservice string) string { return Name(microservice, "headless") }

// slotName is the name of what a Microservice has once for each slot.
func slotName(m *v1alpha1.Microservice, slot string) string { return Name(m.Name, slot) }

// selector picks the pods of a Microservice. It never changes, because the
// selector of a Deployment cannot.
func selector(m *v1alpha1.Microservice) map[string]string {
	return map[string]string{
		LabelName:     ServiceName(m),
		LabelInstance: m.Name,
	}
}

// SlotSelector picks the pods of one slot of a Microservice.
func SlotSelector(m *v1alpha1.Microservice, slot string) map[string]string {
	labels := selector(m)
	labels[LabelSlot] = slot
	return labels
}

// labels are set on every object made for a Microservice.
func labels(m *v1alpha1.Microservice) map[string]string {
	labels := selector(m)
	labels[LabelPartOf] = m.Spec.PlatformRef.Name
	labels[LabelManagedBy] = ManagedBy
	return labels
}

// podLabels are the labels of the pods of one slot: those of the spec, and ours.
func podLabels(m *v1alpha1.Microservice, slot string) map[string]string {
	all := map[string]string{}
	for key, value := range m.Spec.PodLabels {
		all[key] = string(value)
	}
	maps.Copy(all, OwnPodLabels(m, slot))
	return all
}

// OwnPodLabels are the labels of pods that the operator depends on. A label per
// call lets the called service admit its callers without knowing them; a new
// call rolls the pods anyway, because it gives them an address.
func OwnPodLabels(m *v1alpha1.Microservice, slot string) map[string]string {
	all := labels(m)
	maps.Copy(all, SlotSelector(m, slot))
	for _, c := range m.Spec.Calls {
		all[labelCalls+c.To] = "true"
	}
	return all
}

func podAnnotations(m *v1alpha1.Microservice) map[string]string {
	var all map[string]string
	for key, value := range m.Spec.PodAnnotations {
		if all == nil {
			all = map[string]string{}
		}
		all[key] = string(value)
	}
	return all
}
