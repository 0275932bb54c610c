package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"
)

// report is the JSON file. docs/bench.md explains each number.
type report struct {
	StartedAt          time.Time  `json:"startedAt"`
	CPUs               int        `json:"cpus"`
	GoVersion          string     `json:"goVersion"`
	LoopWorkers        int        `json:"loopWorkers"`
	ObjectsPerPlatform int        `json:"objectsPerPlatform"`
	Platforms          int        `json:"platforms"`
	Create             []creation `json:"create"`
	Idle               idling     `json:"idle"`
	Memory             memory     `json:"memory"`
	ImageChange        change     `json:"imageChange"`
	Drift              drifting   `json:"drift"`
	Restart            restart    `json:"restart"`
	Aims               []aim      `json:"aims"`
}

type creation struct {
	Platforms   int         `json:"platforms"`
	Seconds     float64     `json:"seconds"`
	LoopSeconds float64     `json:"loopSeconds"`
	Ratio       float64     `json:"ratio"`
	LastChild   percentiles `json:"lastChild"`
	Requests    requests    `json:"requests"`
}

type idling struct {
	Seconds  float64  `json:"seconds"`
	Requests requests `json:"requests"`
}

type memory struct {
	Platforms                int     `json:"platforms"`
	LiveBytesPerPlatform     float64 `json:"liveBytesPerPlatform"`
	ResidentBytesPerPlatform float64 `json:"residentBytesPerPlatform"`
	EmptyLiveBytes           float64 `json:"emptyLiveBytes"`
	EmptyResidentBytes       float64 `json:"emptyResidentBytes"`
}

type change struct {
	OneByOne  percentiles `json:"oneByOne"`
	AllAtOnce percentiles `json:"allAtOnce"`
}

type drifting struct {
	Changed percentiles `json:"changed"`
	Deleted percentiles `json:"deleted"`
}

type restart struct {
	Seconds  float64  `json:"seconds"`
	Requests requests `json:"requests"`
}

// percentiles are of times in milliseconds.
type percentiles struct {
	Samples int     `json:"samples"`
	P50     float64 `json:"p50Milliseconds"`
	P99     float64 `json:"p99Milliseconds"`
	Max     float64 `json:"maxMilliseconds"`
}

// requests are counts by verb.
type requests struct {
	Writes  int `json:"writes"`
	Reads   int `json:"reads"` // of one object
	Lists   int `json:"lists"`
	Watches int `json:"watches"` // that ended
}

func (r requests) total() int { return r.Writes + r.Reads + r.Lists + r.Watches }

// aim is what a number should be.
type aim struct {
	Name  string  `json:"name"`
	Want  string  `json:"want"`
	Value float64 `json:"value"`
	Met   bool    `json:"met"`
}

const (
	leastRatio      = 0.8
	mostBytes       = 100 << 10
	bytesInKibibyte = 1 << 10
)

func newReport(s settings, at time.Time) report {
	return report{StartedAt: at.UTC().Truncate(time.Second), CPUs: runtime.NumCPU(), GoVersion: runtime.Version(), LoopWorkers: s.workers}
}

func memoryOf(empty, full usage, platforms int) memory {
	return memory{
		Platforms:                platforms,
		LiveBytesPerPlatform:     (full.live - empty.live) / float64(platforms),
		ResidentBytesPerPlatform: (full.resident - empty.resident) / float64(platforms),
		EmptyLiveBytes:           empty.live,
		EmptyResidentBytes:       empty.resident,
	}
}

// distribution takes percentiles by the nearest rank.
func distribution(all []time.Duration) percentiles {
	if len(all) == 0 {
		return percentiles{}
	}
	slices.Sort(all)
	rank := func(percent int) float64 {
		return float64(all[(len(all)*percent+99)/100-1].Microseconds()) / 1000
	}
	return percentiles{Samples: len(all), P50: rank(50), P99: rank(99), Max: rank(100)}
}

// count sorts the requests of the operator.
func count(events []event) requests {
	var r requests
	for _, e := range events {
		if e.User.Username != operatorUser {
			continue
		}
		switch e.Verb {
		case "get":
			if e.ObjectRef.Name != "" { // else it asks which kinds exist
				r.Reads++
			}
		case "list":
			r.Lists++
		case "watch":
			r.Watches++
		default:
			r.Writes++
		}
	}
	return r
}

// judge compares with the aims.
func (r *report) judge() {
	add := func(name, want string, value float64, met bool) {
		r.Aims = append(r.Aims, aim{Name: name, Want: want, Value: value, Met: met})
	}
	largest := slices.MaxFunc(r.Create, func(a, b creation) int { return a.Platforms - b.Platforms })
	add(fmt.Sprintf("create %d platforms, ratio to the bare loop", largest.Platforms), "at least 0.8", largest.Ratio, largest.Ratio >= leastRatio)
	add("writes while nothing changes", "0", float64(r.Idle.Requests.Writes), r.Idle.Requests.Writes == 0)
	reads := r.Idle.Requests.Reads + r.Idle.Requests.Lists
	add("reads while nothing changes", "0", float64(reads), reads == 0)
	add("live bytes for each platform", "at most 102400", r.Memory.LiveBytesPerPlatform, r.Memory.LiveBytesPerPlatform <= mostBytes)
	add("writes after a restart", "0", float64(r.Restart.Requests.Writes), r.Restart.Requests.Writes == 0)
	add("reads of single objects after a restart", "0", float64(r.Restart.Requests.Reads), r.Restart.Requests.Reads == 0)
}

func (r *report) save(file string) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if err := os.WriteFile(file, append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// table prints what people look at.
func (r *report) table(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(format string, values ...any) { fmt.Fprintf(w, format+"\n", values...) }
	times := func(p percentiles) string { return fmt.Sprintf("p50 %.0f ms\tp99 %.0f ms", p.P50, p.P99) }
	for _, c := range r.Create {
		row("create %d platforms\t%.1f s\tbare loop %.1f s\tratio %.2f", c.Platforms, c.Seconds, c.LoopSeconds, c.Ratio)
		row("  to the last object of a platform\t%s", times(c.LastChild))
		row("  requests\t%d writes\t%d reads", c.Requests.Writes, c.Requests.Reads)
	}
	row("nothing changes, %d platforms, %.0f s\t%d writes\t%d reads", r.Platforms, r.Idle.Seconds, r.Idle.Requests.Writes, r.Idle.Requests.Reads+r.Idle.Requests.Lists)
	row("new image to pod template, one by one\t%s", times(r.ImageChange.OneByOne))
	row("new image to pod template, all at once\t%s", times(r.ImageChange.AllAtOnce))
	row("repair of a changed object\t%s", times(r.Drift.Changed))
	row("repair of a deleted object\t%s", times(r.Drift.Deleted))
	row("restart\t%.1f s\t%d writes\t%d reads\t%d lists", r.Restart.Seconds, r.Restart.Requests.Writes, r.Restart.Requests.Reads, r.Restart.Requests.Lists)
	row("memory for each platform\tlive %.0f KiB\tresident %.0f KiB", r.Memory.LiveBytesPerPlatform/bytesInKibibyte, r.Memory.ResidentBytesPerPlatform/bytesInKibibyte)
	row("")
	for _, a := range r.Aims {
		verdict := "missed"
		if a.Met {
			verdict = "met"
		}
		row("%s\taim %s\tis %.2f\t%s", a.Name, a.Want, a.Value, verdict)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print report: %w", err)
	}
	return nil
}
