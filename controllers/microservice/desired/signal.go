package desired

import (
	"fmt"
	"math"
	"time"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// HasSignals says whether a service scales by metrics of its pods.
func HasSignals(m *v1alpha1.Microservice) bool {
	return m.Spec.Autoscaling != nil && len(m.Spec.Autoscaling.Signals) > 0
}

// ScalesToZero says whether a service may have no pod while there is nothing to do.
func ScalesToZero(m *v1alpha1.Microservice) bool {
	return m.Spec.Autoscaling != nil && m.Spec.Autoscaling.ScaleToZero != nil
}

// IdleTime is how long there must have been nothing to do before the pods go.
func IdleTime(z *v1alpha1.ScaleToZero) time.Duration {
	return time.Duration(valueOr(z.IdleSeconds, defaultIdleSeconds)) * time.Second
}

const defaultIdleSeconds = 300

// SignalEndpoint is the port and path where the pods serve their metrics.
func SignalEndpoint(m *v1alpha1.Microservice) (port int32, path string) {
	path = defaultMetricsPath
	if m.Spec.Metrics != nil && m.Spec.Metrics.Path != "" {
		path = m.Spec.Metrics.Path
	}
	name, _ := MetricsPort(m)
	for _, p := range Ports(m) {
		if p.Name == name {
			port = p.Port
		}
	}
	return port, path
}

// Asked is the number of pods that signals ask for, by the sums of their
// metrics, within the bounds of the autoscaling.
func Asked(m *v1alpha1.Microservice, sums map[string]float64) int32 {
	a := m.Spec.Autoscaling
	asked := float64(a.MinReplicas)
	for _, s := range a.Signals {
		asked = max(asked, math.Ceil(sums[s.Metric]/s.PerReplica.AsApproximateFloat64()))
	}
	return int32(min(asked, float64(a.MaxReplicas)))
}

func signals(spec v1alpha1.WorkloadSpec) string {
	a := spec.Autoscaling
	if a != nil && a.ScaleToZero != nil && (keda(spec) || external(spec)) {
		return "autoscaling.scaleToZero: needs mode Native"
	}
	if a == nil || len(a.Signals) == 0 {
		return ""
	}
	if keda(spec) || external(spec) {
		return "autoscaling.signals: need mode Native"
	}
	for _, s := range a.Signals {
		if s.PerReplica.Sign() <= 0 {
			return fmt.Sprintf("autoscaling.signals[%s].perReplica: must be greater than 0", s.Metric)
		}
	}
	m := &v1alpha1.Microservice{Spec: v1alpha1.MicroserviceSpec{WorkloadSpec: spec}}
	if name, exists := MetricsPort(m); !exists {
		return fmt.Sprintf("autoscaling.signals: there is no port %q to read metrics from: add it to ports, or name another in metrics.port", name)
	}
	return ""
}
