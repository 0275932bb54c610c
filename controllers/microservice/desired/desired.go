// Package desired computes the Kubernetes objects that run one Microservice.
// It is pure: a Microservice in, objects out.
package desired

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// Objects lists what runs a revision of a Microservice whose stable slot is slot,
// in the order in which it is applied: what pods need comes before the pods.
// baseline is remembered of what they find in ConfigMaps and Secrets.
func Objects(m *v1alpha1.Microservice, slot string, revision Revision, baseline string) []client.Object {
	objects := Needs(m, revision)
	m = revision.Of(m)
	if len(m.Spec.Routes) > 0 {
		objects = append(objects, routes(m))
	}
	objects = append(objects,
		networkPolicy(m),
		service(m, slot),
		headlessService(m, slot),
		deployment(m, slot, revision, baseline),
	)
	if m.Spec.Autoscaling != nil && !ScaledElsewhere(m) && !ScaledByKEDA(m) {
		objects = append(objects, horizontalPodAutoscaler(m, slot))
	}
	if needsBudget(m) {
		objects = append(objects, podDisruptionBudget(m, slot))
	}
	if wantsIngress(m) && !HasHTTPRoute(m) {
		objects = append(objects, ingressObject(m))
	}
	return append(objects, optionalObjects(m, slot)...)
}

// Needs lists what no pod of a revision can start without.
func Needs(m *v1alpha1.Microservice, revision Revision) []client.Object {
	m = revision.Of(m)
	var objects []client.Object
	if m.Spec.ServiceAccountName == "" {
		objects = append(objects, serviceAccount(m))
	}
	if len(m.Spec.Files) > 0 {
		objects = append(objects, files(m))
	}
	return objects
}

// With puts in front of objects those of more that are not among them.
func With(objects []client.Object, more ...client.Object) []client.Object {
	more = slices.DeleteFunc(more, func(m client.Object) bool {
		return slices.ContainsFunc(objects, func(o client.Object) bool {
			return o.GetName() == m.GetName() && o.GetObjectKind().GroupVersionKind() == m.GetObjectKind().GroupVersionKind()
		})
	})
	return append(more, objects...)
}

// BeforePods lists what the migration of a revision needs where nothing runs yet.
func BeforePods(m *v1alpha1.Microservice, revision Revision) []client.Object {
	return append(Needs(m, revision), networkPolicy(revision.Of(m)))
}

// optionalObjects lists those of kinds that a cluster may not serve. All of
// them, and nothing else, are unstructured.
func optionalObjects(m *v1alpha1.Microservice, slot string) []client.Object {
	var objects []client.Object
	if _, exists := MetricsPort(m); exists && WantsMetrics(m) {
		objects = append(objects, serviceMonitor(m))
	}
	if HasHTTPRoute(m) {
		objects = append(objects, httpRoute(m))
	}
	if ScaledByKEDA(m) {
		objects = append(objects, scaledObject(m, slot))
	}
	return objects
}

// ScaledElsewhere says whether an autoscaler that is not ours owns the number
// of pods.
func ScaledElsewhere(m *v1alpha1.Microservice) bool { return external(m.Spec.WorkloadSpec) }

func external(spec v1alpha1.WorkloadSpec) bool {
	return spec.Autoscaling != nil && spec.Autoscaling.Mode == v1alpha1.AutoscalingExternal
}

// StartReplicas is the number of pods that a new Deployment begins with.
func StartReplicas(m *v1alpha1.Microservice) int32 {
	if ScaledElsewhere(m) && m.Spec.Replicas != nil {
		return *m.Spec.Replicas
	}
	return MinReplicas(m)
}

// MinReplicas is the least number of pods that a Microservice may have: none
// when somebody else scales it.
func MinReplicas(m *v1alpha1.Microservice) int32 {
	switch {
	case m.Spec.Autoscaling != nil:
		return m.Spec.Autoscaling.MinReplicas
	case m.Spec.Replicas != nil:
		return *m.Spec.Replicas
	default:
		return 1
	}
}

func objectMeta(m *v1alpha1.Microservice, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: m.Namespace, Labels: labels(m)}
}

func slotMeta(m *v1alpha1.Microservice, slot string) metav1.ObjectMeta {
	meta := objectMeta(m, slotName(m, slot))
	meta.Labels[LabelSlot] = slot
	return meta
}
