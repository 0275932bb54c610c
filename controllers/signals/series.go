package signals

import "time"

const (
	// memory is the longest that a window or a period of a policy may be, as in a
	// HorizontalPodAutoscaler.
	memory = time.Hour
	// maxChanges bounds a series, however often its number changes.
	maxChanges = 1024
)

// A series is a number over time: each change holds until the next.
type series []change

type change struct {
	pods int32
	at   time.Time
}

// add notes the number from now on, and forgets what is too long ago to count.
func (s *series) add(pods int32, now time.Time) {
	all := *s
	if n := len(all); n == 0 || all[n-1].pods != pods {
		all = append(all, change{pods, now})
	}
	for len(all) > maxChanges || len(all) > 1 && now.Sub(all[1].at) >= memory {
		all = all[1:]
	}
	*s = all
}

// last is the number of this moment.
func (s series) last() int32 {
	if len(s) == 0 {
		return 0
	}
	return s[len(s)-1].pods
}

// at is the number of a moment, or the first one known.
func (s series) at(t time.Time) int32 {
	pods := s[0].pods
	for _, c := range s {
		if c.at.After(t) {
			break
		}
		pods = c.pods
	}
	return pods
}

// within are the least and the greatest number since a moment, and until now.
func (s series) within(since time.Time) (least, greatest int32) {
	least, greatest = s.last(), s.last()
	for i := len(s) - 2; i >= 0 && s[i+1].at.After(since); i-- {
		least, greatest = min(least, s[i].pods), max(greatest, s[i].pods)
	}
	return least, greatest
}
