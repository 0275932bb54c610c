package desired

import (
	"cmp"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// ServiceMonitorKind is served where the Prometheus operator is installed.
var ServiceMonitorKind = schema.GroupVersionKind{Group: "monitoring.coreos.com", Version: "v1", Kind: "ServiceMonitor"}

const defaultMetricsPath = "/metrics"

// WantsMetrics says whether a Microservice asks to be scraped.
func WantsMetrics(m *v1alpha1.Microservice) bool {
	return m.Spec.Metrics != nil && m.Spec.Metrics.Mode != v1alpha1.MetricsNone
}

// MetricsPort is the name of the port that is scraped, and whether there is one
// of that name.
func MetricsPort(m *v1alpha1.Microservice) (name string, exists bool) {
	name = metricsPort
	if m.Spec.Metrics != nil {
		name = cmp.Or(m.Spec.Metrics.Port, name)
	}
	return name, slices.ContainsFunc(Ports(m), func(p v1alpha1.Port) bool { return p.Name == name })
}

// serviceMonitor has the pods behind the headless Service scraped.
func serviceMonitor(m *v1alpha1.Microservice) *unstructured.Unstructured {
	port, _ := MetricsPort(m)
	endpoint := map[string]any{"port": port, "path": cmp.Or(m.Spec.Metrics.Path, defaultMetricsPath)}
	if m.Spec.Metrics.Interval != "" {
		endpoint["interval"] = m.Spec.Metrics.Interval
	}
	match := selector(m)
	match[LabelHeadless] = "true" // else each pod is found twice
	monitor := optionalObject(m, ServiceMonitorKind, m.Name, map[string]any{
		"endpoints":    []any{endpoint},
		"jobLabel":     LabelName,
		"targetLabels": []any{LabelPartOf, LabelInstance},
		"selector":     map[string]any{"matchLabels": anyMap(match)},
	})
	all := map[string]string{}
	for key, value := range m.Spec.Metrics.Labels {
		all[key] = string(value)
	}
	maps.Copy(all, labels(m))
	monitor.SetLabels(all)
	return monitor
}

// optionalObject is an object of a kind that the cluster may not serve. What
// is in spec must be as JSON has it.
func optionalObject(m *v1alpha1.Microservice, kind schema.GroupVersionKind, name string, spec map[string]any) *unstructured.Unstructured {
	object := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	object.SetGroupVersionKind(kind)
	object.SetName(name)
	object.SetNamespace(m.Namespace)
	object.SetLabels(labels(m))
	return object
}

func anyMap(all map[string]string) map[string]any {
	converted := map[string]any{}
	for key, value := range all {
		converted[key] = value
	}
	return converted
}
