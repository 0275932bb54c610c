package operator

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/apply"
)

// scrapeTimeout bounds a scrape of an operator whose cache is not filled yet.
const scrapeTimeout = time.Second

// register adds the metrics of the operator to those of its libraries.
func register(registry prometheus.Registerer, cache client.Reader) error {
	for _, c := range []prometheus.Collector{apply.Writes, newConditionCollector(cache)} {
		if err := registry.Register(c); err != nil {
			return err
		}
	}
	return nil
}

// conditionCollector shows the conditions of every resource as it is in the cache when
// somebody asks: nothing remains of a deleted one.
type conditionCollector struct {
	cache client.Reader
	desc  *prometheus.Desc
}

func newConditionCollector(cache client.Reader) *conditionCollector {
	return &conditionCollector{cache: cache, desc: prometheus.NewDesc("streamplane_condition",
		"Conditions of the resources: 1 for the status that a condition has.",
		[]string{"kind", "namespace", "name", "type", "status", "reason"}, nil)}
}

// Describe implements prometheus.Collector.
func (c *conditionCollector) Describe(descriptions chan<- *prometheus.Desc) { descriptions <- c.desc }

// Collect implements prometheus.Collector. What cannot be read is left out: the
// other metrics say more about an operator in trouble.
func (c *conditionCollector) Collect(series chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	platforms := &v1alpha1.StreamingPlatformList{}
	if err := c.cache.List(ctx, platforms, client.UnsafeDisableDeepCopy); err == nil {
		for i := range platforms.Items {
			p := &platforms.Items[i]
			c.show(series, "StreamingPlatform", p, p.Status.Conditions)
		}
	}
	microservices := &v1alpha1.MicroserviceList{}
	if err := c.cache.List(ctx, microservices, client.UnsafeDisableDeepCopy); err == nil {
		for i := range microservices.Items {
			m := &microservices.Items[i]
			c.show(series, "Microservice", m, m.Status.Conditions)
		}
	}
}

func (c *conditionCollector) show(series chan<- prometheus.Metric, kind string, object client.Object, all []metav1.Condition) {
	for _, condition := range all {
		series <- prometheus.MustNewConstMetric(c.desc, prometheus.GaugeValue, 1,
			kind, object.GetNamespace(), object.GetName(), condition.Type, string(condition.Status), condition.Reason)
	}
}
