package balance

import "github.com/prometheus/client_golang/prometheus"

// metrics of one target.
type metrics struct {
	retries, failures prometheus.Counter
	all               []prometheus.Collector
	registerer        prometheus.Registerer
}

func newMetrics(target string, set *endpoints, registerer prometheus.Registerer) *metrics {
	labels := prometheus.Labels{"target": target}
	m := &metrics{
		registerer: registerer,
		retries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "balance_retries_total", Help: "Requests sent again to another endpoint.", ConstLabels: labels,
		}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "balance_endpoint_failures_total", Help: "Attempts that got no response from an endpoint.", ConstLabels: labels,
		}),
	}
	m.all = []prometheus.Collector{
		m.retries, m.failures,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "balance_endpoints", Help: "Endpoints that the target resolves to.", ConstLabels: labels,
		}, func() float64 { known, _ := set.count(); return float64(known) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "balance_ejected_endpoints", Help: "Endpoints that are left alone after failures.", ConstLabels: labels,
		}, func() float64 { _, ejected := set.count(); return float64(ejected) }),
	}
	registerer.MustRegister(m.all...)
	return m
}

// remove makes room for another client of the same target.
func (m *metrics) remove() {
	for _, c := range m.all {
		m.registerer.Unregister(c)
	}
}
