package desired

import (
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

const defaultCPUUtilization = 70

// horizontalPodAutoscaler measures the main container only: a sidecar without
// a request would otherwise make the utilization unknown.
func horizontalPodAutoscaler(m *v1alpha1.Microservice, slot string) *autoscalingv2.HorizontalPodAutoscaler {
	utilization := int32(defaultCPUUtilization)
	if cpu := m.Spec.Autoscaling.CPU; cpu != nil {
		utilization = cpu.AverageUtilization
	}
	return &autoscalingv2.HorizontalPodAutoscaler{
		TypeMeta:   metav1.TypeMeta{APIVersion: "autoscaling/v2", Kind: "HorizontalPodAutoscaler"},
		ObjectMeta: slotMeta(m, slot),
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{
				APIVersion: "apps/v1", Kind: "Deployment", Name: slotName(m, slot),
			},
			MinReplicas: new(m.Spec.Autoscaling.MinReplicas),
			MaxReplicas: m.Spec.Autoscaling.MaxReplicas,
			Metrics: []autoscalingv2.MetricSpec{{
				Type: autoscalingv2.ContainerResourceMetricSourceType,
				ContainerResource: &autoscalingv2.ContainerResourceMetricSource{
					Name:      corev1.ResourceCPU,
					Container: MainContainer,
					Target: autoscalingv2.MetricTarget{
						Type:               autoscalingv2.UtilizationMetricType,
						AverageUtilization: new(utilization),
					},
				},
			}},
		},
	}
}
