package operator

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// series reads the metrics of one name as lines "label=value,..."; value.
func (o *running) series(name string) map[string]float64 {
	o.Helper()
	families, err := o.registry.Gather()
	if err != nil {
		o.Fatal(err)
	}
	all := map[string]float64{}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			var labels []string
			for _, label := range m.GetLabel() {
				labels = append(labels, label.GetName()+"="+label.GetValue())
			}
			all[strings.Join(labels, ",")] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return all
}

func TestConditionsAreMetrics(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	m := w.microservice("search", `{platformRef: {name: acme}, image: "registry.test/search:1"}`)
	line := func(reason, status, kind string) string {
		return "kind=Microservice,name=search,namespace=" + w.namespace + ",reason=" + reason + ",status=" + status + ",type=" + kind
	}
	shows := func(want ...string) func() error {
		return func() error {
			got := o.series("streamplane_condition")
			for _, series := range want {
				if got[series] != 1 {
					return fmt.Errorf("no %s in %v", series, got)
				}
			}
			if len(got) != len(want) {
				return fmt.Errorf("%v, want %v", got, want)
			}
			return nil
		}
	}
	alone := line(v1alpha1.ReasonPlatformNotFound, "False", "PlatformFound")
	w.becomes(m, v1alpha1.ConditionReconciling, v1alpha1.ReasonProgressing, "")
	w.eventually(shows(line(v1alpha1.ReasonProgressing, "False", "Ready"), line(v1alpha1.ReasonProgressing, "True", "Reconciling"), alone))
	w.playControllers()
	w.ready(m)
	w.eventually(shows(line(v1alpha1.ReasonAvailable, "True", "Ready"), alone))
	w.remove(m)
	w.eventually(shows())
}

func TestWritesAreCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	w.ready(w.microservice("search", searchScaled))
	o.settle()
	all := o.series("streamplane_writes_total") // of all operators of this process
	for _, series := range []string{
		"kind=Deployment,reason=Missing", "kind=Deployment,reason=Scaled", "kind=Microservice,reason=Reporting",
	} {
		if all[series] < 1 {
			t.Errorf("no %s in %v", series, all)
		}
	}
}

// What the chart asks Prometheus for is what the operator serves.
func TestAlertsAndDashboardKnowTheMetrics(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := w.start(catalog("1.0.0"))
	w.playControllers()
	w.ready(w.microservice("search", `{platformRef: {name: acme}, image: "registry.test/search:1"}`))
	known := map[string]bool{}
	for _, registry := range []prometheus.Gatherer{o.registry, metrics.Registry} {
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, family := range families {
			known[family.GetName()] = true
		}
	}
	name := regexp.MustCompile(`\b(streamplane|controller_runtime|workqueue|rest_client)_[a-z_]+`)
	for _, file := range []string{"alerts.yaml", "dashboard.json"} {
		content, err := os.ReadFile("../../charts/streamplane/files/" + file)
		if err != nil {
			t.Fatal(err)
		}
		found := name.FindAllString(string(content), -1)
		if len(found) < 5 {
			t.Errorf("%s asks for %v only", file, found)
		}
		for _, metric := range found {
			if !known[strings.TrimSuffix(metric, "_bucket")] {
				t.Errorf("%s: no operator has the metric %s", file, metric)
			}
		}
	}
}
