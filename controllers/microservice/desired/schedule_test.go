package desired

import (
	"testing"
	"time"
	_ "time/tzdata" // the machine of a test may have none

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

func scheduled(t *testing.T, schedules string) *v1alpha1.Microservice {
	t.Helper()
	a := &v1alpha1.Autoscaling{}
	if err := yaml.UnmarshalStrict([]byte("{minReplicas: 2, maxReplicas: 20, schedules: "+schedules+"}"), a); err != nil {
		t.Fatal(err)
	}
	return &v1alpha1.Microservice{Spec: v1alpha1.MicroserviceSpec{WorkloadSpec: v1alpha1.WorkloadSpec{Autoscaling: a}}}
}

func moment(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

const (
	evening  = `{name: evening, start: 0 18 * * *, end: 0 23 * * *, timeZone: Europe/Berlin, minReplicas: 8}`
	night    = `{name: night, start: 0 22 * * *, end: 0 3 * * *, timeZone: Europe/Berlin, minReplicas: 5}`
	weekday  = `{name: weekday, start: 0 8 * * 1-5, end: 0 20 * * *, minReplicas: 4}`
	advent   = `{name: advent, start: 0 0 1 12 *, end: 0 0 25 12 *, minReplicas: 9}`
	leap     = `{name: leap, start: 0 0 29 2 *, end: 0 0 1 3 *, minReplicas: 9}`
	skipped  = `{name: skipped, start: 30 2 * * *, end: 0 4 * * *, timeZone: %, minReplicas: 7}`
	untilGap = `{name: until, start: 0 22 * * *, end: 30 2 * * *, timeZone: %, minReplicas: 7}`
	inGap    = `{name: in, start: 10 2 * * *, end: 50 2 * * *, timeZone: Europe/Berlin, minReplicas: 7}`
	minutely = `{name: minutely, start: "0,2,4,6,8,10,12,14,16,18,20,22,24,26,28,30,32,34,36,38,40,42,44,46,48,50,52,54,56,58 * * * *", end: 1-59/2 * * * *, minReplicas: 3}`
)

func in(zone, schedule string) string {
	for i := range schedule {
		if schedule[i] == '%' {
			return schedule[:i] + zone + schedule[i+1:]
		}
	}
	return schedule
}

// Berlin changes its clocks at 01:00 UTC: on 2026-03-29 from 02:00 to 03:00, on
// 2026-10-25 from 03:00 to 02:00. New York does so at 02:00 of its own: on
// 2026-03-08 at 07:00 UTC to 03:00, on 2026-11-01 at 06:00 UTC to 01:00.
func TestFloorAt(t *testing.T) {
	const berlin, newYork = "Europe/Berlin", "America/New_York"
	cases := map[string]struct {
		schedules, now string
		active         []string
		floor          int32
		next           string
	}{
		"none":              {"[]", "2026-01-10T12:00:00Z", nil, 0, ""},
		"before":            {"[" + evening + "]", "2026-01-10T16:59:59Z", nil, 0, "2026-01-10T17:00:00Z"},
		"at the start":      {"[" + evening + "]", "2026-01-10T17:00:00Z", []string{"evening"}, 8, "2026-01-10T22:00:00Z"},
		"within":            {"[" + evening + "]", "2026-01-10T21:59:59.999Z", []string{"evening"}, 8, "2026-01-10T22:00:00Z"},
		"at the end":        {"[" + evening + "]", "2026-01-10T22:00:00Z", nil, 0, "2026-01-11T17:00:00Z"},
		"in summer":         {"[" + evening + "]", "2026-07-10T16:00:00Z", []string{"evening"}, 8, "2026-07-10T21:00:00Z"},
		"over midnight":     {"[" + night + "]", "2026-01-10T23:30:00Z", []string{"night"}, 5, "2026-01-11T02:00:00Z"},
		"overlap":           {"[" + night + ", " + evening + "]", "2026-01-10T21:30:00Z", []string{"night", "evening"}, 8, "2026-01-10T22:00:00Z"},
		"after the overlap": {"[" + night + ", " + evening + "]", "2026-01-10T22:00:00Z", []string{"night"}, 5, "2026-01-11T02:00:00Z"},
		"an end without a start, on a Saturday": {
			"[" + weekday + "]", "2026-01-10T12:00:00Z", nil, 0, "2026-01-10T20:00:00Z",
		},
		"Friday":                    {"[" + weekday + "]", "2026-01-09T12:00:00Z", []string{"weekday"}, 4, "2026-01-09T20:00:00Z"},
		"once a year, on":           {"[" + advent + "]", "2026-12-24T23:59:00Z", []string{"advent"}, 9, "2026-12-25T00:00:00Z"},
		"once a year, off":          {"[" + advent + "]", "2026-11-30T00:00:00Z", nil, 0, "2026-12-01T00:00:00Z"},
		"on leap days":              {"[" + leap + "]", "2028-02-29T12:00:00Z", []string{"leap"}, 9, "2028-03-01T00:00:00Z"},
		"after leap days":           {"[" + leap + "]", "2027-02-28T12:00:00Z", nil, 0, "2027-03-01T00:00:00Z"},
		"every other minute":        {"[" + minutely + "]", "2026-01-10T12:04:30Z", []string{"minutely"}, 3, "2026-01-10T12:05:00Z"},
		"between the minutes":       {"[" + minutely + "]", "2026-01-10T12:05:30Z", nil, 0, "2026-01-10T12:06:00Z"},
		"over midnight into summer": {"[" + night + "]", "2026-03-29T00:59:59Z", []string{"night"}, 5, "2026-03-29T01:00:00Z"},
		"over midnight into winter": {"[" + night + "]", "2026-10-25T01:30:00Z", []string{"night"}, 5, "2026-10-25T02:00:00Z"},

		"Berlin leaves the start out, before": {"[" + in(berlin, skipped) + "]", "2026-03-29T00:59:59Z", nil, 0, "2026-03-29T01:00:00Z"},
		"Berlin leaves the start out, after": {
			"[" + in(berlin, skipped) + "]", "2026-03-29T01:00:00Z", []string{"skipped"}, 7, "2026-03-29T02:00:00Z",
		},
		"Berlin leaves the end out, before": {
			"[" + in(berlin, untilGap) + "]", "2026-03-29T00:59:59Z", []string{"until"}, 7, "2026-03-29T01:00:00Z",
		},
		"Berlin leaves the end out, after":     {"[" + in(berlin, untilGap) + "]", "2026-03-29T01:00:00Z", nil, 0, "2026-03-29T20:00:00Z"},
		"Berlin leaves the whole window out":   {"[" + inGap + "]", "2026-03-29T01:00:00Z", nil, 0, "2026-03-30T00:10:00Z"},
		"Berlin shows the start twice, first":  {"[" + in(berlin, skipped) + "]", "2026-10-25T00:30:00Z", []string{"skipped"}, 7, "2026-10-25T01:30:00Z"},
		"Berlin shows the start twice, middle": {"[" + in(berlin, skipped) + "]", "2026-10-25T01:10:00Z", []string{"skipped"}, 7, "2026-10-25T01:30:00Z"},
		"Berlin shows the start twice, second": {"[" + in(berlin, skipped) + "]", "2026-10-25T01:30:00Z", []string{"skipped"}, 7, "2026-10-25T03:00:00Z"},
		"Berlin shows the end twice, first":    {"[" + in(berlin, untilGap) + "]", "2026-10-25T00:30:00Z", nil, 0, "2026-10-25T01:30:00Z"},
		"Berlin shows the end twice, second":   {"[" + in(berlin, untilGap) + "]", "2026-10-25T01:30:00Z", nil, 0, "2026-10-25T21:00:00Z"},

		"New York leaves the start out, before": {"[" + in(newYork, skipped) + "]", "2026-03-08T06:59:59Z", nil, 0, "2026-03-08T07:00:00Z"},
		"New York leaves the start out, after": {
			"[" + in(newYork, skipped) + "]", "2026-03-08T07:00:00Z", []string{"skipped"}, 7, "2026-03-08T08:00:00Z",
		},
		"New York leaves the end out":    {"[" + in(newYork, untilGap) + "]", "2026-03-08T07:00:00Z", nil, 0, "2026-03-09T02:00:00Z"},
		"New York, the night to winter":  {"[" + in(newYork, untilGap) + "]", "2026-11-01T05:30:00Z", []string{"until"}, 7, "2026-11-01T07:30:00Z"},
		"New York, the end after winter": {"[" + in(newYork, untilGap) + "]", "2026-11-01T07:30:00Z", nil, 0, "2026-11-02T03:00:00Z"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := scheduled(t, tc.schedules)
			if problem := schedules(m.Spec.WorkloadSpec); problem != "" {
				t.Fatal(problem)
			}
			want := Floor{Replicas: tc.floor, Active: tc.active}
			if tc.next != "" {
				want.Next = moment(t, tc.next)
			}
			if diff := cmp.Diff(want, FloorAt(m, moment(t, tc.now))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Nothing happens between two edges.
func TestFloorChangesAtItsEdgesOnly(t *testing.T) {
	m := scheduled(t, "["+evening+", "+night+", "+in("America/New_York", skipped)+", "+weekday+"]")
	for _, begin := range []string{"2026-03-07T00:00:00Z", "2026-03-28T00:00:00Z", "2026-10-24T00:00:00Z", "2026-10-31T00:00:00Z"} {
		now := moment(t, begin)
		seen := FloorAt(m, now)
		for end := now.Add(48 * time.Hour); now.Before(end); now = now.Add(10 * time.Minute) {
			got := FloorAt(m, now)
			if now.Before(seen.Next) && !cmp.Equal(got, seen) {
				t.Fatalf("at %s it is %v, after %v", now, got, seen)
			}
			seen = got
		}
	}
}

func TestWithFloor(t *testing.T) {
	for least, want := range map[int32]int32{0: 2, 1: 2, 2: 2, 7: 7, 20: 20, 21: 20} {
		m := scheduled(t, "[]")
		if got := WithFloor(m, least).Spec.Autoscaling.MinReplicas; got != want {
			t.Errorf("at least %d: %d pods, want %d", least, got, want)
		}
		if m.Spec.Autoscaling.MinReplicas != 2 {
			t.Error("it changed the original")
		}
	}
}

func TestBadSchedules(t *testing.T) {
	cases := map[string]struct{ schedule, want string }{
		"no cron": {
			"{name: a, start: 0 25 * * *, end: 0 1 * * *, minReplicas: 3}",
			`autoscaling.schedules[a].start: "0 25 * * *" is no cron expression such as 0 18 * * 1-5 (minute, hour, day, month, weekday): end of range (25) above maximum (23): 25`,
		},
		"a zone in the cron": {
			"{name: a, start: 0 1 * * *, end: TZ=UTC 0 1 * * *, minReplicas: 3}",
			`autoscaling.schedules[a].end: "TZ=UTC 0 1 * * *" is no cron expression such as 0 18 * * 1-5 (minute, hour, day, month, weekday): unexpected =`,
		},
		"never": {
			"{name: a, start: 0 0 31 2 *, end: 0 1 * * *, minReplicas: 3}", `autoscaling.schedules[a].start: "0 0 31 2 *" never comes`,
		},
		"no zone": {
			"{name: a, start: 0 0 * * *, end: 0 1 * * *, timeZone: Europe/Berlln, minReplicas: 3}",
			`autoscaling.schedules[a].timeZone: "Europe/Berlln" is no time zone such as Europe/Berlin`,
		},
		"the zone of the machine": {
			"{name: a, start: 0 0 * * *, end: 0 1 * * *, timeZone: Local, minReplicas: 3}",
			`autoscaling.schedules[a].timeZone: "Local" is no time zone such as Europe/Berlin`,
		},
		"never open": {
			"{name: a, start: 0 0 * * *, end: 0  0 * * *, minReplicas: 3}",
			"autoscaling.schedules[a].end: is the same as start: the window would never be open",
		},
		"too many": {
			"{name: a, start: 0 0 * * *, end: 0 1 * * *, minReplicas: 21}",
			"autoscaling.schedules[a].minReplicas: 21 exceeds maxReplicas 20",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := schedules(scheduled(t, "["+tc.schedule+"]").Spec.WorkloadSpec); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}
