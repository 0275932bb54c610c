package mp4

import (
	"errors"
	"fmt"
)

// Kind tells what a track carries.
type Kind string

// The kinds of track that streaming knows.
const (
	Video Kind = "video"
	Audio Kind = "audio"
)

// Track is what an initialization segment says about its one track.
type Track struct {
	ID        uint32
	Kind      Kind
	Codec     string // as RFC 6381 writes it: avc1.64001f, mp4a.40.2
	Timescale uint32 // ticks per second

	Width, Height        int // video only
	Channels, SampleRate int // audio only

	defaults sampleDefaults
}

// sampleDefaults are used for samples that do not state their own values.
type sampleDefaults struct {
	duration, flags uint32
}

// ParseInit reads an initialization segment (ftyp and moov) with exactly one track.
func ParseInit(data []byte) (Track, error) {
	movie, err := find(data, "moov")
	if err != nil {
		return Track{}, err
	}
	children, err := boxesOf(movie)
	if err != nil {
		return Track{}, err
	}
	var tracks [][]byte
	for _, b := range children {
		if b.kind == "trak" {
			tracks = append(tracks, b.body)
		}
	}
	if len(tracks) != 1 {
		return Track{}, fmt.Errorf("initialization segment has %d tracks, want 1", len(tracks))
	}
	track, err := parseTrack(tracks[0])
	if err != nil {
		return Track{}, err
	}
	track.defaults, err = parseDefaults(movie)
	return track, err
}

func parseTrack(trak []byte) (Track, error) {
	var t Track
	for _, step := range []func(*Track, []byte) error{parseTrackHeader, parseMediaHeader, parseSampleEntry} {
		if err := step(&t, trak); err != nil {
			return Track{}, err
		}
	}
	return t, nil
}

func parseTrackHeader(t *Track, trak []byte) error {
	body, err := find(trak, "tkhd")
	if err != nil {
		return err
	}
	f := fields{data: body}
	version, _ := f.versionAndFlags()
	f.sized(version) // creation time
	f.sized(version) // modification time
	t.ID = f.uint32()
	return f.err("tkhd")
}

func parseMediaHeader(t *Track, trak []byte) error {
	body, err := find(trak, "mdia", "mdhd")
	if err != nil {
		return err
	}
	f := fields{data: body}
	version, _ := f.versionAndFlags()
	f.sized(version) // creation time
	f.sized(version) // modification time
	t.Timescale = f.uint32()
	if err := f.err("mdhd"); err != nil {
		return err
	}
	if t.Timescale == 0 {
		return errors.New("media header has timescale 0")
	}
	return nil
}

func parseSampleEntry(t *Track, trak []byte) error {
	description, err := find(trak, "mdia", "minf", "stbl", "stsd")
	if err != nil {
		return err
	}
	f := fields{data: description}
	f.skip(8) // version, flags, entry count
	if err := f.err("stsd"); err != nil {
		return err
	}
	entry, _, err := nextBox(f.data)
	if err != nil {
		return err
	}
	switch entry.kind {
	case "avc1", "avc3":
		return parseVideoEntry(t, entry)
	case "mp4a":
		return parseAudioEntry(t, entry)
	}
	return fmt.Errorf("codec %q is not supported; use H.264 or AAC", entry.kind)
}

func parseVideoEntry(t *Track, entry box) error {
	f := fields{data: entry.body}
	f.skip(24) // reserved, data reference, pre-defined
	t.Kind, t.Width, t.Height = Video, int(f.uint16()), int(f.uint16())
	f.skip(50) // resolution, frame count, compressor name, depth
	if err := f.err(entry.kind); err != nil {
		return err
	}
	config, err := find(f.data, "avcC")
	if err != nil {
		return err
	}
	c := fields{data: config}
	c.skip(1)
	t.Codec = fmt.Sprintf("%s.%02x%02x%02x", entry.kind, c.uint8(), c.uint8(), c.uint8())
	return c.err("avcC")
}

func parseAudioEntry(t *Track, entry box) error {
	f := fields{data: entry.body}
	f.skip(16) // reserved, data reference, version
	t.Kind, t.Channels = Audio, int(f.uint16())
	f.skip(6) // sample size, pre-defined, reserved
	t.SampleRate = int(f.uint32() >> 16)
	if err := f.err(entry.kind); err != nil {
		return err
	}
	descriptor, err := find(f.data, "esds")
	if err != nil {
		return err
	}
	return parseESDescriptor(t, descriptor)
}

func parseDefaults(movie []byte) (sampleDefaults, error) {
	body, err := find(movie, "mvex", "trex")
	if err != nil {
		return sampleDefaults{}, err
	}
	f := fields{data: body}
	f.skip(12) // version, flags, track, sample description
	d := sampleDefaults{duration: f.uint32()}
	f.skip(4) // default size
	d.flags = f.uint32()
	return d, f.err("trex")
}
