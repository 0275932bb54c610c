package signals

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAsk(t *testing.T) {
	cases := map[string]struct {
		status int
		body   string
		// want is the value of viewers; -1 without one.
		want   float64
		failed string
	}{
		"a gauge":          {200, "# TYPE viewers gauge\nviewers 7\n", 7, ""},
		"untyped":          {200, "viewers 7\n", 7, ""},
		"a sum of series":  {200, "viewers{channel=\"a\"} 7\nviewers{channel=\"b\"} 5\n", 12, ""},
		"no number":        {200, "viewers{channel=\"a\"} NaN\nviewers{channel=\"b\"} +Inf\nviewers 3\n", 3, ""},
		"nothing finite":   {200, "viewers NaN\nviewers{channel=\"b\"} -Inf\n", -1, ""},
		"a histogram":      {200, "# TYPE viewers histogram\nviewers_bucket{le=\"+Inf\"} 7\nviewers_sum 7\nviewers_count 7\n", -1, ""},
		"a summary":        {200, "# TYPE viewers summary\nviewers{quantile=\"0.5\"} 7\nviewers_sum 7\nviewers_count 7\n", -1, ""},
		"never below zero": {200, "viewers -3\n", 0, ""},
		"another":          {200, "listeners 3\n", -1, ""},
		"no metrics":       {200, "<html>", -1, "parse metrics"},
		"not found":        {404, "viewers 7\n", -1, "not 200"},
		"led elsewhere":    {302, "", -1, "not 200"},
		"too much":         {200, strings.Repeat("# nothing\n", maxAnswer/8), -1, "too large"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/metrics" {
					t.Errorf("asked for %s", r.URL.Path)
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(tc.status)
				_, _ = w.Write([]byte(tc.body))
			}))
			defer server.Close()
			a := answer{}
			a.ask(t.Context(), New(Options{}).http, server.URL+"/metrics", []string{"viewers"})
			if tc.failed != "" {
				if a.err == nil || !strings.Contains(a.err.Error(), tc.failed) {
					t.Fatalf("error %v, want one with %q", a.err, tc.failed)
				}
				return
			}
			got, ok := a.values["viewers"]
			if !ok {
				got = -1
			}
			if a.err != nil || got != tc.want {
				t.Errorf("%v, error %v, want %v", got, a.err, tc.want)
			}
		})
	}
}

func TestSum(t *testing.T) {
	value := func(v float64) answer { return answer{values: map[string]float64{"viewers": v}} }
	cases := map[string]struct {
		answers []answer
		want    float64
		problem string
	}{
		"all":                 {[]answer{value(3), value(4)}, 7, ""},
		"one is silent":       {[]answer{value(3), {err: errStatus}}, 3, "some ready pods give no metrics at port 9090, path /metrics"},
		"one has no such":     {[]answer{value(3), {values: map[string]float64{}}}, 3, "some ready pods have no metric viewers"},
		"however many":        {[]answer{value(3), {err: errStatus}, {err: errStatus}}, 3, "some ready pods give no metrics at port 9090, path /metrics"},
		"silence goes before": {[]answer{{err: errStatus}, {values: map[string]float64{}}}, 0, "some ready pods give no metrics"},
	}
	q := question{metrics: []string{"viewers"}, port: 9090, path: "/metrics"}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			sums, problem := q.sum(tc.answers)
			if sums["viewers"] != tc.want || !strings.HasPrefix(problem, tc.problem) || (problem == "") != (tc.problem == "") {
				t.Errorf("%v, %q; want %v, %q", sums, problem, tc.want, tc.problem)
			}
		})
	}
}
