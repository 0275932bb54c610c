package signals

import (
	"testing"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"sigs.k8s.io/yaml"
)

// spell is a number of pods since so many seconds ago.
type spell struct{ ago, pods int }

var now = time.Date(2026, time.July, 10, 20, 0, 0, 0, time.UTC)

func seriesOf(all ...spell) series {
	var s series
	for _, p := range all {
		s.add(int32(p.pods), now.Add(-time.Duration(p.ago)*time.Second))
	}
	return s
}

func TestNext(t *testing.T) {
	cases := map[string]struct {
		asked, floors series
		behavior      string
		want          int32
	}{
		"it grows at once":       {seriesOf(spell{99, 2}, spell{0, 9}), seriesOf(spell{99, 2}), "{}", 9},
		"it stays":               {seriesOf(spell{99, 2}), seriesOf(spell{99, 2}), "{}", 2},
		"it falls after a while": {seriesOf(spell{900, 9}, spell{300, 2}), seriesOf(spell{900, 9}), "{}", 2},
		"not before":             {seriesOf(spell{900, 9}, spell{299, 2}), seriesOf(spell{900, 9}), "{}", 9},
		"the greatest of the window counts": {
			seriesOf(spell{900, 9}, spell{600, 4}, spell{200, 2}), seriesOf(spell{900, 9}), "{}", 4,
		},
		"a window of one's own": {
			seriesOf(spell{900, 9}, spell{60, 2}), seriesOf(spell{900, 9}), "{scaleDown: {stabilizationWindowSeconds: 60}}", 2,
		},
		"no window": {seriesOf(spell{900, 9}, spell{0, 2}), seriesOf(spell{900, 9}), "{scaleDown: {stabilizationWindowSeconds: 0}}", 2},
		"a window of growth": {
			seriesOf(spell{900, 2}, spell{50, 9}), seriesOf(spell{900, 2}), "{scaleUp: {stabilizationWindowSeconds: 60}}", 2,
		},
		"the least of the window counts": {
			seriesOf(spell{900, 2}, spell{70, 5}, spell{20, 9}), seriesOf(spell{900, 2}), "{scaleUp: {stabilizationWindowSeconds: 60}}", 5,
		},
		"so many pods at a time": {
			seriesOf(spell{0, 9}), seriesOf(spell{99, 2}), "{scaleUp: {policies: [{type: Pods, value: 3, periodSeconds: 60}]}}", 5,
		},
		"a period is used up": {
			seriesOf(spell{0, 9}), seriesOf(spell{99, 2}, spell{30, 5}), "{scaleUp: {policies: [{type: Pods, value: 3, periodSeconds: 60}]}}", 5,
		},
		"the next period": {
			seriesOf(spell{0, 9}), seriesOf(spell{99, 2}, spell{60, 5}), "{scaleUp: {policies: [{type: Pods, value: 3, periodSeconds: 60}]}}", 8,
		},
		"the greatest policy": {
			seriesOf(spell{0, 9}), seriesOf(spell{99, 4}),
			"{scaleUp: {policies: [{type: Pods, value: 1, periodSeconds: 60}, {type: Percent, value: 60, periodSeconds: 60}]}}", 7,
		},
		"the least policy": {
			seriesOf(spell{0, 9}), seriesOf(spell{99, 4}),
			"{scaleUp: {selectPolicy: Min, policies: [{type: Pods, value: 1, periodSeconds: 60}, {type: Percent, value: 60, periodSeconds: 60}]}}", 5,
		},
		"no growth": {seriesOf(spell{0, 9}), seriesOf(spell{99, 4}), "{scaleUp: {selectPolicy: Disabled}}", 4},
		"it falls by policy": {
			seriesOf(spell{600, 2}), seriesOf(spell{900, 10}), "{scaleDown: {policies: [{type: Percent, value: 25, periodSeconds: 60}]}}", 7,
		},
		"the greatest fall": {
			seriesOf(spell{600, 2}), seriesOf(spell{900, 10}),
			"{scaleDown: {policies: [{type: Pods, value: 1, periodSeconds: 60}, {type: Pods, value: 4, periodSeconds: 60}]}}", 6,
		},
		"the least fall": {
			seriesOf(spell{600, 2}), seriesOf(spell{900, 10}),
			"{scaleDown: {selectPolicy: Min, policies: [{type: Pods, value: 1, periodSeconds: 60}, {type: Pods, value: 4, periodSeconds: 60}]}}", 9,
		},
		"no fall": {seriesOf(spell{600, 2}), seriesOf(spell{900, 10}), "{scaleDown: {selectPolicy: Disabled}}", 10},
		"never below what is asked for": {
			seriesOf(spell{600, 2}), seriesOf(spell{900, 4}), "{scaleDown: {policies: [{type: Pods, value: 50, periodSeconds: 60}]}}", 2,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			behavior := &autoscalingv2.HorizontalPodAutoscalerBehavior{}
			if err := yaml.UnmarshalStrict([]byte(tc.behavior), behavior); err != nil {
				t.Fatal(err)
			}
			if got := next(tc.asked, tc.floors, behavior, now); got != tc.want {
				t.Errorf("%d, want %d", got, tc.want)
			}
		})
	}
	if got := next(seriesOf(spell{0, 9}), seriesOf(spell{99, 2}), nil, now); got != 9 {
		t.Errorf("without behavior %d, want 9", got)
	}
}

func TestSeriesIsBounded(t *testing.T) {
	var s series
	for i := range 5 * maxChanges {
		s.add(int32(i), now.Add(time.Duration(i)*time.Second))
	}
	if len(s) > maxChanges {
		t.Errorf("%d changes", len(s))
	}
	s.add(1, now.Add(9*time.Hour))
	s.add(2, now.Add(11*time.Hour))
	if len(s) != 2 {
		t.Errorf("changes of hours ago: %v", s)
	}
}
