package desired

import (
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

const defaultCPUUtilization = 70

func horizontalPodAutoscaler(m *v1alpha1.Microservice, slot string) *autoscalingv2.HorizontalPodAutoscaler {
	return &autoscalingv2.HorizontalPodAutoscaler{
		TypeMeta:   metav1.TypeMeta{APIVersion: "autoscaling/v2", Kind: "HorizontalPodAutoscaler"},
		ObjectMeta: slotMeta(m, slot),
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{
				APIVersion: "apps/v1", Kind: "Deployment", Name: slotName(m, slot),
			},
			MinReplicas: new(m.Spec.Autoscaling.MinReplicas),
			MaxReplicas: m.Spec.Autoscaling.MaxReplicas,
			Metrics:     metrics(m.Spec.Autoscaling),
			Behavior:    m.Spec.Autoscaling.Behavior,
		},
	}
}

func metrics(a *v1alpha1.Autoscaling) []autoscalingv2.MetricSpec {
	var all []autoscalingv2.MetricSpec
	if percent := cpuUtilization(a); percent != 0 {
		all = append(all, mainContainerMetric(corev1.ResourceCPU, utilization(percent)))
	}
	if m := a.Memory; m != nil && m.AverageValue != nil {
		all = append(all, mainContainerMetric(corev1.ResourceMemory, autoscalingv2.MetricTarget{
			Type: autoscalingv2.AverageValueMetricType, AverageValue: m.AverageValue,
		}))
	} else if m != nil {
		all = append(all, mainContainerMetric(corev1.ResourceMemory, utilization(m.AverageUtilization)))
	}
	return append(all, a.Metrics...)
}

// cpuUtilization is the target in percent, or 0 where other targets stand alone.
func cpuUtilization(a *v1alpha1.Autoscaling) int32 {
	switch {
	case a.CPU != nil:
		return a.CPU.AverageUtilization
	case a.Memory != nil || len(a.Metrics) > 0 || a.Mode == v1alpha1.AutoscalingKEDA:
		return 0
	default:
		return defaultCPUUtilization
	}
}

func utilization(percent int32) autoscalingv2.MetricTarget {
	return autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: new(percent)}
}

// mainContainerMetric leaves sidecars out: one without a request would make the
// utilization unknown.
func mainContainerMetric(name corev1.ResourceName, target autoscalingv2.MetricTarget) autoscalingv2.MetricSpec {
	return autoscalingv2.MetricSpec{
		Type: autoscalingv2.ContainerResourceMetricSourceType,
		ContainerResource: &autoscalingv2.ContainerResourceMetricSource{
			Name: name, Container: MainContainer, Target: target,
		},
	}
}
