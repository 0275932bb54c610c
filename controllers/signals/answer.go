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

func (a *answer) ask(ctx context.Context, via *http.Client, url string, metrics []string) {
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
	for _, metric := range metrics {
		if value, ok := total(families[metric]); ok {
			a.values[metric] = value
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

// question is what the pods of a service are asked.
type question struct {
	metrics []string
	port    int32
	path    string
	// of says whose pods they are where that is another service, and field what to
	// correct when they have no such metric.
	of, field string
}

func questionTo(m *v1alpha1.Microservice, of, field string, metrics ...string) question {
	port, path := desired.SignalEndpoint(m)
	return question{metrics, port, path, of, field}
}

// sum adds the values of all pods, and says what is missing. It names and counts
// no pods, because a problem that looks different each time would be told each
// time.
func (q question) sum(answers []answer) (sums map[string]float64, problem string) {
	sums = map[string]float64{}
	silent, without := false, map[string]bool{}
	for _, a := range answers {
		if a.err != nil {
			silent = true
			continue
		}
		for _, metric := range q.metrics {
			value, ok := a.values[metric]
			if !ok {
				without[metric] = true
			}
			sums[metric] += value
		}
	}
	if silent {
		return sums, fmt.Sprintf("some ready pods%s give no metrics at port %d, path %s: check metrics.port and metrics.path, and that network.metricsFrom admits the operator; "+
			stays, q.of, q.port, q.path)
	}
	for _, metric := range q.metrics {
		if without[metric] {
			return sums, fmt.Sprintf("some ready pods%s have no metric %s, a gauge or counter with a finite value, at port %d, path %s: correct %s, or have them serve it; "+
				stays, q.of, metric, q.port, q.path, q.field)
		}
	}
	return sums, ""
}

const stays = "the number of pods does not fall meanwhile"
