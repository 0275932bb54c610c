package mp4

import (
	"errors"
	"fmt"
	"time"
)

// Flags of track fragment boxes (ISO/IEC 14496-12, 8.8.7 and 8.8.8).
const (
	tfhdBaseOffset, tfhdDescription            = 0x01, 0x02
	tfhdDuration, tfhdSize, tfhdFlags          = 0x08, 0x10, 0x20
	trunOffset, trunFirstFlags                 = 0x01, 0x04
	trunDuration, trunSize, trunFlags, trunCTS = 0x100, 0x200, 0x400, 0x800

	sampleIsNotSync = 0x10000
)

// Segment is the time that one media segment covers, in ticks of its track.
type Segment struct {
	Start, Ticks uint64
	Samples      int
	// StartsWithKey is true when a decoder can start here.
	StartsWithKey bool
}

// Duration converts the length of a segment to time.
func (t Track) Duration(ticks uint64) time.Duration {
	whole, part := ticks/uint64(t.Timescale), ticks%uint64(t.Timescale)
	return time.Duration(whole)*time.Second + time.Duration(part)*time.Second/time.Duration(t.Timescale)
}

// ParseSegment reads a media segment of the track: one or more moof and mdat pairs without gaps in time.
func (t Track) ParseSegment(data []byte) (Segment, error) {
	parts, err := boxesOf(data)
	if err != nil {
		return Segment{}, err
	}
	var segment Segment
	fragments, payloads := 0, 0
	for _, part := range parts {
		switch part.kind {
		case "mdat":
			payloads++
		case "moof":
			fragment, err := t.parseFragment(part.body)
			if err != nil {
				return Segment{}, err
			}
			if fragments++; fragments == 1 {
				segment = fragment
				continue
			}
			if fragment.Start != segment.Start+segment.Ticks {
				return Segment{}, fmt.Errorf("fragment starts at tick %d, the one before it ends at %d", fragment.Start, segment.Start+segment.Ticks)
			}
			segment.Ticks += fragment.Ticks
			segment.Samples += fragment.Samples
		}
	}
	if fragments == 0 || fragments != payloads {
		return Segment{}, fmt.Errorf("segment has %d moof and %d mdat boxes: %w", fragments, payloads, ErrTruncated)
	}
	return segment, nil
}

func (t Track) parseFragment(moof []byte) (Segment, error) {
	children, err := boxesOf(moof)
	if err != nil {
		return Segment{}, err
	}
	for _, traf := range children {
		if traf.kind != "traf" {
			continue
		}
		return t.parseTrackFragment(traf.body)
	}
	return Segment{}, errors.New(`box "traf" is missing`)
}

func (t Track) parseTrackFragment(traf []byte) (Segment, error) {
	children, err := boxesOf(traf)
	if err != nil {
		return Segment{}, err
	}
	defaults, seen := t.defaults, map[string]bool{}
	var segment Segment
	for _, b := range children {
		switch b.kind {
		case "tfhd":
			err = t.parseFragmentHeader(b.body, &defaults)
		case "tfdt":
			f := fields{data: b.body}
			version, _ := f.versionAndFlags()
			segment.Start = f.sized(version)
			err = f.err(b.kind)
		case "trun":
			err = segment.addRun(b.body, defaults)
		}
		if err != nil {
			return Segment{}, err
		}
		seen[b.kind] = true
	}
	for _, kind := range []string{"tfhd", "tfdt", "trun"} {
		if !seen[kind] {
			return Segment{}, fmt.Errorf("box %q is missing", kind)
		}
	}
	return segment, nil
}

func (t Track) parseFragmentHeader(body []byte, defaults *sampleDefaults) error {
	f := fields{data: body}
	_, flags := f.versionAndFlags()
	if id := f.uint32(); !f.truncated && id != t.ID {
		return fmt.Errorf("fragment belongs to track %d, want %d", id, t.ID)
	}
	if flags&tfhdBaseOffset != 0 {
		f.skip(8)
	}
	if flags&tfhdDescription != 0 {
		f.skip(4)
	}
	if flags&tfhdDuration != 0 {
		defaults.duration = f.uint32()
	}
	if flags&tfhdSize != 0 {
		f.skip(4)
	}
	if flags&tfhdFlags != 0 {
		defaults.flags = f.uint32()
	}
	return f.err("tfhd")
}

// addRun appends the samples of one trun box.
func (s *Segment) addRun(body []byte, defaults sampleDefaults) error {
	f := fields{data: body}
	_, flags := f.versionAndFlags()
	count := int(f.uint32())
	if flags&trunOffset != 0 {
		f.skip(4)
	}
	firstFlags := defaults.flags
	if flags&trunFirstFlags != 0 {
		firstFlags = f.uint32()
	}
	for i := range count {
		duration, sampleFlags := readSample(&f, flags, defaults)
		if f.truncated {
			return f.err("trun")
		}
		if i == 0 && s.Samples == 0 {
			if flags&trunFlags == 0 {
				sampleFlags = firstFlags
			}
			s.StartsWithKey = sampleFlags&sampleIsNotSync == 0
		}
		s.Ticks += uint64(duration)
		if flags&(trunDuration|trunSize|trunFlags|trunCTS) == 0 { // nothing per sample: no need to walk them
			s.Ticks += uint64(count-1) * uint64(duration)
			break
		}
	}
	s.Samples += count
	return f.err("trun")
}

func readSample(f *fields, present uint32, defaults sampleDefaults) (duration, flags uint32) {
	duration, flags = defaults.duration, defaults.flags
	if present&trunDuration != 0 {
		duration = f.uint32()
	}
	if present&trunSize != 0 {
		f.skip(4)
	}
	if present&trunFlags != 0 {
		flags = f.uint32()
	}
	if present&trunCTS != 0 {
		f.skip(4)
	}
	return duration, flags
}
