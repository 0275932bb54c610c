package desired

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// AnnotationRevision of a Deployment names the ControllerRevision that its pods
// are of.
const AnnotationRevision = ownPrefix + "revision"

// revisionHashLength is how much of the hash tells the revisions of one service
// apart.
const revisionHashLength = 10

// A Revision is one version of the pods of a service. It is stored once begun
// and never rendered again, so that a newer operator rolls no pod.
type Revision struct {
	// Name of the ControllerRevision: the same for the same specification and the
	// same content of what it refers to.
	Name string
	// Spec is the part of the specification that pods depend on.
	Spec v1alpha1.MicroserviceSpec
	// Template of the pods as it was rendered.
	Template corev1.PodTemplateSpec
}

// stored is a Revision in the data of a ControllerRevision.
type stored struct {
	Spec     v1alpha1.MicroserviceSpec `json:"spec"`
	Template corev1.PodTemplateSpec    `json:"template"`
}

// RevisionOf renders the revision that a Microservice asks for; stamp stands for
// the content of the ConfigMaps and Secrets that it refers to.
func RevisionOf(m *v1alpha1.Microservice, slot, stamp string) Revision {
	m = m.DeepCopy()
	template, _ := podTemplate(m, slot) // Rejected has been asked
	annotate(&template.Annotations, AnnotationConfig, stamp)
	r := Revision{Spec: withLive(m.Spec, v1alpha1.MicroserviceSpec{}), Template: template}
	r.Name = Name(m.Name, r.hash(stamp))
	return r
}

// PodsHash is the same for Microservices of the same pods.
func PodsHash(m *v1alpha1.Microservice) string {
	return Revision{Spec: withLive(m.Spec, v1alpha1.MicroserviceSpec{})}.hash("")
}

// withLive is a specification with the fields of another that no pod depends on:
// they take effect at once, whichever revision runs.
func withLive(spec, live v1alpha1.MicroserviceSpec) v1alpha1.MicroserviceSpec {
	spec.Routes, spec.Replicas, spec.Autoscaling, spec.Rollout = live.Routes, live.Replicas, live.Autoscaling, live.Rollout
	spec.Expose, spec.Metrics, spec.Network = live.Expose, live.Metrics, live.Network
	spec.Disruption, spec.Paused = live.Disruption, live.Paused
	return spec
}

// hash is of the specification with its keys sorted and without what is not
// set: neither a new field nor another order of the fields changes it.
func (r Revision) hash(stamp string) string {
	var content map[string]any
	data, err := json.Marshal(r.Spec)
	if err == nil {
		err = json.Unmarshal(data, &content)
	}
	if err == nil {
		data, err = json.Marshal([]any{content, stamp})
	}
	if err != nil {
		panic(err) // a specification that was read can be written
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])[:revisionHashLength]
}

// Of is a Microservice as this revision of it has the pods.
func (r Revision) Of(m *v1alpha1.Microservice) *v1alpha1.Microservice {
	m = m.DeepCopy()
	m.Spec = withLive(*r.Spec.DeepCopy(), m.Spec)
	return m
}

// Object stores the revision.
func (r Revision) Object(m *v1alpha1.Microservice, number int64) *appsv1.ControllerRevision {
	data, err := json.Marshal(stored{Spec: r.Spec, Template: r.Template})
	if err != nil {
		panic(err) // a specification that was read can be written
	}
	return &appsv1.ControllerRevision{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "ControllerRevision"},
		ObjectMeta: objectMeta(m, r.Name),
		Data:       runtime.RawExtension{Raw: data},
		Revision:   number,
	}
}

// ReadRevision is the revision that an object stores.
func ReadRevision(from *appsv1.ControllerRevision) (Revision, error) {
	var s stored
	if err := json.Unmarshal(from.Data.Raw, &s); err != nil {
		return Revision{}, fmt.Errorf("read ControllerRevision %s: %w", from.Name, err)
	}
	return Revision{Name: from.Name, Spec: s.Spec, Template: s.Template}, nil
}
