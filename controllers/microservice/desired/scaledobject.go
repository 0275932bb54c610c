package desired

import (
	"cmp"
	"strconv"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// ScaledObjectKind is served where KEDA is installed.
var ScaledObjectKind = schema.GroupVersionKind{Group: "keda.sh", Version: "v1alpha1", Kind: "ScaledObject"}

// ScaledByKEDA says whether a ScaledObject moves the number of pods.
func ScaledByKEDA(m *v1alpha1.Microservice) bool { return keda(m.Spec.WorkloadSpec) }

func keda(spec v1alpha1.WorkloadSpec) bool {
	return spec.Autoscaling != nil && spec.Autoscaling.Mode == v1alpha1.AutoscalingKEDA
}

// scaledObject has KEDA scale the pods of a slot.
func scaledObject(m *v1alpha1.Microservice, slot string) *unstructured.Unstructured {
	a := m.Spec.Autoscaling
	spec := map[string]any{
		"scaleTargetRef":  map[string]any{"name": slotName(m, slot)},
		"minReplicaCount": int64(a.MinReplicas),
		"maxReplicaCount": int64(a.MaxReplicas),
		"triggers":        triggers(a),
	}
	if a.Behavior != nil {
		behavior, err := runtime.DefaultUnstructuredConverter.ToUnstructured(a.Behavior)
		if err == nil { // of a type of Kubernetes
			spec["advanced"] = map[string]any{"horizontalPodAutoscalerConfig": map[string]any{"behavior": behavior}}
		}
	}
	object := optionalObject(m, ScaledObjectKind, slotName(m, slot), spec)
	all := labels(m)
	all[LabelSlot] = slot
	object.SetLabels(all)
	return object
}

func triggers(a *v1alpha1.Autoscaling) []any {
	var all []any
	if a.CPU != nil {
		all = append(all, resourceTrigger(corev1.ResourceCPU, autoscalingv2.UtilizationMetricType, strconv.Itoa(int(a.CPU.AverageUtilization))))
	}
	if m := a.Memory; m != nil && m.AverageValue != nil {
		all = append(all, resourceTrigger(corev1.ResourceMemory, autoscalingv2.AverageValueMetricType, m.AverageValue.String()))
	} else if m != nil {
		all = append(all, resourceTrigger(corev1.ResourceMemory, autoscalingv2.UtilizationMetricType, strconv.Itoa(int(m.AverageUtilization))))
	}
	for _, t := range a.Triggers {
		trigger := present(map[string]string{"type": t.Type, "name": t.Name, "metricType": string(t.MetricType)})
		metadata := map[string]any{}
		for key, value := range t.Metadata {
			metadata[key] = string(value)
		}
		trigger["metadata"] = metadata
		if r := t.AuthenticationRef; r != nil {
			trigger["authenticationRef"] = map[string]any{"name": r.Name, "kind": cmp.Or(r.Kind, "TriggerAuthentication")}
		}
		all = append(all, trigger)
	}
	return all
}

// resourceTrigger looks at the main container only, as the native autoscaler does.
func resourceTrigger(name corev1.ResourceName, kind autoscalingv2.MetricTargetType, value string) map[string]any {
	return map[string]any{
		"type": string(name), "metricType": string(kind),
		"metadata": map[string]any{"value": value, "containerName": MainContainer},
	}
}
