package desired

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// Floor is the least number of pods that schedules ask for at a moment.
type Floor struct {
	// Replicas is 0 while no schedule is active.
	Replicas int32
	// Active are the names of the schedules that are.
	Active []string
	// Next is when that may change; zero without schedules.
	Next time.Time
}

// FloorAt is what the schedules of a service say at a moment. The greatest
// number wins. The specification has been validated.
func FloorAt(m *v1alpha1.Microservice, now time.Time) Floor {
	var f Floor
	if m.Spec.Autoscaling == nil {
		return f
	}
	for _, s := range m.Spec.Autoscaling.Schedules {
		w, problem := windowOf(s)
		if problem != "" {
			continue // Validate refuses it
		}
		if next := w.next(now); f.Next.IsZero() || next.Before(f.Next) {
			f.Next = next
		}
		if w.active(now) {
			f.Active = append(f.Active, s.Name)
			f.Replicas = max(f.Replicas, s.MinReplicas)
		}
	}
	return f
}

// WithFloor is a Microservice with at least so many pods, where it is autoscaled.
func WithFloor(m *v1alpha1.Microservice, least int32) *v1alpha1.Microservice {
	if m.Spec.Autoscaling == nil || least <= m.Spec.Autoscaling.MinReplicas {
		return m
	}
	m = m.DeepCopy()
	m.Spec.Autoscaling.MinReplicas = min(least, m.Spec.Autoscaling.MaxReplicas)
	return m
}

// A window is open from each start to the next end.
type window struct{ start, end wallClock }

func windowOf(s v1alpha1.AutoscalingSchedule) (w window, problem string) {
	zone, err := time.LoadLocation(s.TimeZone) // none is UTC
	if err != nil || s.TimeZone == "Local" {
		return w, fmt.Sprintf("timeZone: %q is no time zone such as Europe/Berlin", s.TimeZone)
	}
	if w.start, problem = wallClockOf(s.Start, zone); problem != "" {
		return w, "start: " + problem
	}
	if w.end, problem = wallClockOf(s.End, zone); problem != "" {
		return w, "end: " + problem
	}
	return w, ""
}

func (w window) active(now time.Time) bool { return w.start.last(now).After(w.end.last(now)) }

func (w window) next(now time.Time) time.Time {
	start, end := w.start.next(now), w.end.next(now)
	if start.Before(end) {
		return start
	}
	return end
}

// A wallClock fires when the clocks of a zone show certain times: twice when
// such a time comes twice, and at the change when the change leaves it out.
type wallClock struct {
	times cron.Schedule
	zone  *time.Location
}

// reference is a moment from which every time that ever comes does so within
// the years that the library looks ahead.
var reference = time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)

func wallClockOf(expression string, zone *time.Location) (c wallClock, problem string) {
	const hint = "%q is no cron expression such as 0 18 * * 1-5 (minute, hour, day, month, weekday): %s"
	if strings.Contains(expression, "=") { // the library would take a zone from it
		return c, fmt.Sprintf(hint, expression, "unexpected =")
	}
	times, err := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow).Parse(expression)
	switch {
	case err != nil:
		return c, fmt.Sprintf(hint, expression, err)
	case times.Next(reference).IsZero():
		return c, fmt.Sprintf("%q never comes", expression)
	}
	return wallClock{times: times, zone: zone}, ""
}

// next is the first moment after now.
func (c wallClock) next(now time.Time) time.Time {
	now = now.In(c.zone)
	next := c.times.Next(now)
	skipped, ok := c.skipped(c.times.Next(shown(now)))
	if ok && skipped.After(now) && skipped.Before(next) {
		return skipped.In(time.UTC)
	}
	return next.In(time.UTC)
}

// last is the latest moment until now, or zero when that is years ago.
func (c wallClock) last(now time.Time) time.Time {
	now = now.In(c.zone).Truncate(time.Second)
	last := before(now, c.times)
	skipped, ok := c.skipped(before(shown(now), c.times))
	if ok && skipped.After(last) && !skipped.After(now) {
		return skipped.In(time.UTC)
	}
	return last.In(time.UTC)
}

// before searches for the last moment until now: the library only looks ahead.
func before(now time.Time, times cron.Schedule) time.Time {
	const years = 5 * 366 * 24 * 60 * 60 // in seconds, as far as the library looks
	ago := 1 + sort.Search(years, func(seconds int) bool {
		next := times.Next(now.Add(-time.Duration(seconds+1) * time.Second))
		return !next.IsZero() && !next.After(now)
	})
	if ago > years {
		return time.Time{}
	}
	return times.Next(now.Add(-time.Duration(ago) * time.Second))
}

// shown is what the clocks of its zone show at a moment, as if it were UTC.
func shown(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}

// skipped is the change of the clocks that leaves a time out.
func (c wallClock) skipped(wall time.Time) (time.Time, bool) {
	t := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, c.zone)
	from, to := t.ZoneBounds()
	switch back := shown(t); {
	case back.After(wall):
		return from, true
	case back.Before(wall):
		return to, true
	default:
		return time.Time{}, false
	}
}

// schedules checks what the API server cannot: whether times and zones exist.
func schedules(spec v1alpha1.WorkloadSpec) string {
	if spec.Autoscaling == nil {
		return ""
	}
	for _, s := range spec.Autoscaling.Schedules {
		field := fmt.Sprintf("autoscaling.schedules[%s].", s.Name)
		if _, problem := windowOf(s); problem != "" {
			return field + problem
		}
		if slices.Equal(strings.Fields(s.Start), strings.Fields(s.End)) {
			return field + "end: is the same as start: the window would never be open"
		}
		if s.MinReplicas > spec.Autoscaling.MaxReplicas {
			return fmt.Sprintf("%sminReplicas: %d exceeds maxReplicas %d", field, s.MinReplicas, spec.Autoscaling.MaxReplicas)
		}
	}
	return ""
}
