package main

import "github.com/prometheus/client_golang/prometheus"

// metrics are what streaming is scaled and judged by.
type metrics struct {
	egress         prometheus.Counter
	segmentSeconds prometheus.Histogram
}

func newMetrics(registerer prometheus.Registerer, active *sessions) *metrics {
	m := &metrics{
		egress: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "streaming_egress_bytes_total", Help: "Bytes of media sent to clients.",
		}),
		segmentSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "streaming_segment_seconds", Help: "Time to find and send one segment.",
			Buckets: []float64{.001, .005, .025, .1, .25, 1, 2.5, 10, 60},
		}),
	}
	registerer.MustRegister(m.egress, m.segmentSeconds, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "streaming_active_sessions", Help: "Distinct viewers that read media from this pod in the last 30 seconds.",
	}, func() float64 { return float64(active.count()) }))
	return m
}
