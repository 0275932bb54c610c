package main

import (
	"fmt"
	"io"
	"time"
)

// progress writes one line per step with the time since the start.
type progress struct {
	w     io.Writer
	now   func() time.Time
	start time.Time
}

func newProgress(w io.Writer, now func() time.Time) *progress {
	return &progress{w: w, now: now, start: now()}
}

// printf writes one line.
func (p *progress) printf(format string, args ...any) {
	fmt.Fprintf(p.w, "images %6.1fs  %s\n", p.now().Sub(p.start).Seconds(), fmt.Sprintf(format, args...))
}
