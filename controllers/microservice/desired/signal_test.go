package desired

import (
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

func signalled(all ...v1alpha1.ScalingSignal) *v1alpha1.Microservice {
	m := &v1alpha1.Microservice{}
	m.Spec.Ports = []v1alpha1.Port{{Name: "metrics", Port: 9090}}
	m.Spec.Autoscaling = &v1alpha1.Autoscaling{MinReplicas: 2, MaxReplicas: 9, Signals: all}
	return m
}

func TestAsked(t *testing.T) {
	viewers := v1alpha1.ScalingSignal{Metric: "viewers", PerReplica: resource.MustParse("20")}
	load := v1alpha1.ScalingSignal{Metric: "load", PerReplica: resource.MustParse("500m")}
	cases := map[string]struct {
		sums map[string]float64
		want int32
	}{
		"nothing":           {nil, 2},
		"the least":         {map[string]float64{"viewers": 20}, 2},
		"exactly":           {map[string]float64{"viewers": 80}, 4},
		"rounded up":        {map[string]float64{"viewers": 81}, 5},
		"the most":          {map[string]float64{"viewers": 1e30}, 9},
		"the greatest wins": {map[string]float64{"viewers": 80, "load": 3}, 6},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Asked(signalled(viewers, load), tc.sums); got != tc.want {
				t.Errorf("%d, want %d", got, tc.want)
			}
		})
	}
}

func TestSignalsAreValidated(t *testing.T) {
	cases := map[string]struct {
		perReplica string
		change     func(*v1alpha1.WorkloadSpec)
		want       string
	}{
		"good":    {"20", func(*v1alpha1.WorkloadSpec) {}, ""},
		"nothing": {"0", func(*v1alpha1.WorkloadSpec) {}, "autoscaling.signals[viewers].perReplica: must be greater than 0"},
		"KEDA": {
			"20", func(s *v1alpha1.WorkloadSpec) { s.Autoscaling.Mode = v1alpha1.AutoscalingKEDA },
			"autoscaling.signals: need mode Native",
		},
		"no port": {
			"20", func(s *v1alpha1.WorkloadSpec) { s.Metrics = &v1alpha1.Metrics{Port: "stats"} },
			`autoscaling.signals: there is no port "stats" to read metrics from: add it to ports, or name another in metrics.port`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := signalled(v1alpha1.ScalingSignal{Metric: "viewers", PerReplica: resource.MustParse(tc.perReplica)})
			tc.change(&m.Spec.WorkloadSpec)
			if got := signals(m.Spec.WorkloadSpec); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

// The port of the traffic is opened to monitoring only where it is asked for.
func TestSignalsOpenThePort(t *testing.T) {
	m := signalled()
	m.Spec.Ports = []v1alpha1.Port{{Name: "http", Port: 8080}}
	m.Spec.Metrics = &v1alpha1.Metrics{Mode: v1alpha1.MetricsNone, Port: "http", Path: "/stats"}
	closed := len(ingress(m, v1alpha1.Network{}))
	m.Spec.Autoscaling.Signals = []v1alpha1.ScalingSignal{{Metric: "viewers", PerReplica: resource.MustParse("1")}}
	if open := len(ingress(m, v1alpha1.Network{})); open != closed+1 {
		t.Errorf("%d rules, without signals %d", open, closed)
	}
	if port, path := SignalEndpoint(m); port != 8080 || path != "/stats" {
		t.Errorf("read at port %d, path %s", port, path)
	}
}
