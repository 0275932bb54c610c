package signals

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/streamplane/streamplane/api/v1alpha1"
	"github.com/streamplane/streamplane/controllers/microservice/desired"
)

// maxAnswer bounds what is read of one pod's metrics, in bytes.
const maxAnswer = 4 << 20

// answer is what one pod says.
type answer struct {
	address string
	// values by metric; those that it does not serve are missing.
	values map[string]float64
	err    error
}

var errStatus = errors.New("the answer is not 200 OK")

func (a *answer) ask(ctx context.Context, via *http.Client, url string, m *v1alpha1.Microservice) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		a.err = err
		return
	}
	request.Header.Set("Accept", string(expfmt.NewFormat(expfmt.TypeTextPlain)))
	response, err := via.Do(request)
	if err != nil {
		a.err = err
		return
	}
	defer func() { _ = response.Body.Close() }() // it was read
	if response.StatusCode != http.StatusOK {
		a.err = errStatus
		return
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(http.MaxBytesReader(nil, response.Body, maxAnswer))
	if err != nil {
		a.err = fmt.Errorf("parse metrics: %w", err)
		return
	}
	a.values = map[string]float64{}
	for _, s := range m.Spec.Autoscaling.Signals {
		if f, ok := families[s.Metric]; ok {
			a.values[s.Metric] = total(f)
		}
	}
}

// total is the sum over all series of a metric that has plain values.
func total(f *dto.MetricFamily) float64 {
	var all float64
	for _, series := range f.GetMetric() {
		value := series.GetGauge().GetValue() + series.GetCounter().GetValue() + series.GetUntyped().GetValue()
		if !math.IsNaN(value) && !math.IsInf(value, 0) {
			all += value
		}
	}
	return max(all, 0)
}

// sum adds the values of all pods, and says what is missing. It names no pod,
// because a problem that looks different each time would be told each time.
func sum(m *v1alpha1.Microservice, answers []answer) (sums map[string]float64, problem string) {
	sums = map[string]float64{}
	silent, without := 0, map[string]int{}
	for _, a := range answers {
		if a.err != nil {
			silent++
			continue
		}
		for _, s := range m.Spec.Autoscaling.Signals {
			value, ok := a.values[s.Metric]
			if !ok {
				without[s.Metric]++
			}
			sums[s.Metric] += value
		}
	}
	port, path := desired.SignalEndpoint(m)
	if silent > 0 {
		return sums, fmt.Sprintf("%d of %d ready pods give no metrics at port %d, path %s: check metrics.port and metrics.path, and that network.metricsFrom admits the operator; "+
			"the number of pods does not fall meanwhile", silent, len(answers), port, path)
	}
	for _, s := range m.Spec.Autoscaling.Signals {
		if n := without[s.Metric]; n > 0 {
			return sums, fmt.Sprintf("%d of %d ready pods have no metric %s at port %d, path %s: correct autoscaling.signals, or have them serve it; "+
				"the number of pods does not fall meanwhile", n, len(answers), s.Metric, port, path)
		}
	}
	return sums, ""
}
