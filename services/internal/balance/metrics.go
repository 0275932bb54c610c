package balance

import "github.com/prometheus/client_golang/prometheus"

// metrics of one target.
type metrics struct {
	retries, failures prometheus.Counter
}

func newMetrics(target string, set *endpoints, registerer prometheus.Registerer) *metrics {
	labels := prometheus.Labels{"target": target}
	m := &metrics{
		retries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "balance_retries_total", Help: "Requests sent again to another endpoint.", ConstLabels: labels,
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "balance_endpoint_failures_total", Help: "Attempts that got no response from an endpoint.", ConstLabels: labels,
		}),
	}
	registerer.MustRegister(m.retries, m.failures,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "balance_endpoints", Help: "Endpoints that the target resolves to.", ConstLabels: labels,
		}, func() float64 { known, _ := set.count(); return float64(known) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "balance_ejected_endpoints", Help: "Endpoints that are left alone after failures.", ConstLabels: labels,
		}, func() float64 { _, ejected := set.count(); return float64(ejected) }),
	)
	return m
}
