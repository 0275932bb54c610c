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
		if value, ok := total(families[s.Metric]); ok {
			a.values[s.Metric] = value
		}
	}
}

// total is the sum over all series of a metric, and whether there is any: a
// histogram, a summary and what is no number have no value that pods could be
// counted by.
func total(f *dto.MetricFamily) (value float64, known bool) {
	for _, series := range f.GetMetric() {
		v := math.NaN()
		switch {
		case series.Gauge != nil:
			v = series.Gauge.GetValue()
		case series.Counter != nil:
			v = series.Counter.GetValue()
		case series.Untyped != nil:
			v = series.Untyped.GetValue()
		}
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			value, known = value+v, true
		}
	}
	return max(value, 0), known
}

// sum adds the values of all pods, and says what is missing. It names and counts
// no pods, because a problem that looks different each time would be told each
// time.
func sum(m *v1alpha1.Microservice, answers []answer) (sums map[string]float64, problem string) {
	sums = map[string]float64{}
	silent, without := false, map[string]bool{}
	for _, a := range answers {
		if a.err != nil {
			silent = true
			continue
		}
		for _, s := range m.Spec.Autoscaling.Signals {
			value, ok := a.values[s.Metric]
			if !ok {
				without[s.Metric] = true
			}
			sums[s.Metric] += value
		}
	}
	port, path := desired.SignalEndpoint(m)
	if silent {
		return sums, fmt.Sprintf("some ready pods give no metrics at port %d, path %s: check metrics.port and metrics.path, and that network.metricsFrom admits the operator; "+
			"the number of pods does not fall meanwhile", port, path)
	}
	for _, s := range m.Spec.Autoscaling.Signals {
		if without[s.Metric] {
			return sums, fmt.Sprintf("some ready pods have no metric %s, a gauge or counter with a finite value, at port %d, path %s: correct autoscaling.signals, or have them serve it; "+
				"the number of pods does not fall meanwhile", s.Metric, port, path)
		}
	}
	return sums, ""
}
