package signals

import (
	"math"
	"slices"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
)

// defaultDownWindow is how long the greatest number asked for counts, as in a
// HorizontalPodAutoscaler.
const defaultDownWindow = 300 * time.Second

// direction is where the floor goes.
type direction bool

const (
	upward   direction = true
	downward direction = false
)

// next is the floor from now on, by the numbers that were asked for and the
// floors until now. It follows behavior as an autoscaler does, because an
// autoscaler goes to its minReplicas at once.
func next(asked, floors series, behavior *autoscalingv2.HorizontalPodAutoscalerBehavior, now time.Time) int32 {
	var up, down *autoscalingv2.HPAScalingRules
	if behavior != nil {
		up, down = behavior.ScaleUp, behavior.ScaleDown
	}
	least, _ := asked.within(now.Add(-window(up, 0)))
	_, greatest := asked.within(now.Add(-window(down, defaultDownWindow)))
	from := floors.last()
	switch {
	case from < least:
		return min(least, bound(floors, up, upward, now))
	case from > greatest:
		return max(greatest, bound(floors, down, downward, now))
	default:
		return from
	}
}

func window(rules *autoscalingv2.HPAScalingRules, without time.Duration) time.Duration {
	if rules == nil || rules.StabilizationWindowSeconds == nil {
		return without
	}
	return time.Duration(*rules.StabilizationWindowSeconds) * time.Second
}

// bound is how far policies let the floor go, counted from where it was at the
// start of the period of each.
func bound(floors series, rules *autoscalingv2.HPAScalingRules, to direction, now time.Time) int32 {
	from := floors.last()
	selected := autoscalingv2.MaxChangePolicySelect
	if rules != nil && rules.SelectPolicy != nil {
		selected = *rules.SelectPolicy
	}
	switch {
	case selected == autoscalingv2.DisabledPolicySelect:
		return from
	case (rules == nil || len(rules.Policies) == 0) && to == upward:
		return math.MaxInt32
	case rules == nil || len(rules.Policies) == 0:
		return 0
	}
	var all []int32
	for _, p := range rules.Policies {
		start := floors.at(now.Add(-time.Duration(p.PeriodSeconds) * time.Second))
		all = append(all, reach(start, p, to))
	}
	furthest := slices.Min(all)
	if (to == upward) == (selected == autoscalingv2.MaxChangePolicySelect) {
		furthest = slices.Max(all)
	}
	if to == upward { // a period may be used up already
		return max(from, furthest)
	}
	return min(from, furthest)
}

// reach is how far a policy goes from a number of pods.
func reach(start int32, p autoscalingv2.HPAScalingPolicy, to direction) int32 {
	change := float64(p.Value)
	if p.Type == autoscalingv2.PercentScalingPolicy {
		change *= float64(start) / 100
	}
	if to == upward {
		return int32(min(math.Ceil(float64(start)+change), math.MaxInt32))
	}
	return int32(max(float64(start)-change, 0))
}
