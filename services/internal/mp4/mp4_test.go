package mp4_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/streamplane/streamplane/services/internal/mp4"
	"github.com/streamplane/streamplane/services/internal/mp4/mp4test"
)

func TestParseInit(t *testing.T) {
	cases := map[string]struct {
		data []byte
		want mp4.Track
	}{
		"H.264": {
			data: mp4test.VideoInit(),
			want: mp4.Track{ID: 1, Kind: mp4.Video, Codec: "avc1.64001f", Timescale: 12800, Width: 1280, Height: 720},
		},
		"AAC": {
			data: mp4test.AudioInit(),
			want: mp4.Track{ID: 1, Kind: mp4.Audio, Codec: "mp4a.40.2", Timescale: 48000, Channels: 2, SampleRate: 48000},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := mp4.ParseInit(c.data)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got, cmpopts.IgnoreUnexported(mp4.Track{})); diff != "" {
				t.Errorf("track (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseInitRefuses(t *testing.T) {
	whole := mp4test.VideoInit()
	track := mp4test.Track(12800, mp4test.Box("avc1"))
	cases := map[string][]byte{
		"nothing":               nil,
		"no movie":              mp4test.Box("ftyp"),
		"two tracks":            mp4test.Box("moov", track, track),
		"no track":              mp4test.Box("moov"),
		"unknown codec":         mp4test.Init(12800, mp4test.Box("hvc1", make([]byte, 100))),
		"no time scale":         mp4test.Init(0, mp4test.Box("avc1", make([]byte, 100))),
		"a box too small":       {0, 0, 0, 4, 'm', 'o', 'o', 'v'},
		"a box of 2^63 bytes":   slices.Concat(mp4test.Uint32(1), []byte("moov"), mp4test.Uint64(1<<63)),
		"a descriptor too long": mp4test.Init(48000, mp4test.Box("mp4a", make([]byte, 28), mp4test.Box("esds", make([]byte, 4), []byte{3, 0xff, 0xff, 0xff, 0x7f}))),
		"half of the file":      whole[:len(whole)/2],
		"all but the last byte": whole[:len(whole)-1],
	}
	for name, data := range cases {
		t.Run(name, func(t *testing.T) {
			if track, err := mp4.ParseInit(data); err == nil {
				t.Errorf("got %+v, want an error", track)
			}
		})
	}
}

func TestParseSegment(t *testing.T) {
	track, err := mp4.ParseInit(mp4test.VideoInit())
	if err != nil {
		t.Fatal(err)
	}
	withDurations := mp4test.Box("moof", mp4test.Box("traf",
		mp4test.Box("tfhd", mp4test.Uint32(0), mp4test.Uint32(1)),
		mp4test.Box("tfdt", mp4test.Uint32(0), mp4test.Uint32(77)),
		mp4test.Box("trun", mp4test.Uint32(0xf01), mp4test.Uint32(2), mp4test.Uint32(0),
			mp4test.Uint32(500), mp4test.Uint32(9), mp4test.Uint32(mp4test.KeyFrame), mp4test.Uint32(0),
			mp4test.Uint32(524), mp4test.Uint32(9), mp4test.Uint32(mp4test.NotKeyFrame), mp4test.Uint32(0))))
	cases := map[string]struct {
		data []byte
		want mp4.Segment
	}{
		"default durations": {
			data: mp4test.Fragment(51200, 100, 512, mp4test.KeyFrame),
			want: mp4.Segment{Start: 51200, Ticks: 51200, Samples: 100, StartsWithKey: true},
		},
		"two fragments": {
			data: slices.Concat(mp4test.Fragment(0, 50, 512, mp4test.KeyFrame), mp4test.Fragment(25600, 50, 512, mp4test.NotKeyFrame)),
			want: mp4.Segment{Ticks: 51200, Samples: 100, StartsWithKey: true},
		},
		"no key frame first": {
			data: mp4test.Fragment(0, 1, 512, mp4test.NotKeyFrame),
			want: mp4.Segment{Ticks: 512, Samples: 1},
		},
		"a duration per sample": {
			data: slices.Concat(withDurations, mp4test.Box("mdat")),
			want: mp4.Segment{Start: 77, Ticks: 1024, Samples: 2, StartsWithKey: true},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := track.ParseSegment(c.data)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("segment (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseSegmentRefuses(t *testing.T) {
	track, err := mp4.ParseInit(mp4test.VideoInit())
	if err != nil {
		t.Fatal(err)
	}
	whole := mp4test.Fragment(0, 100, 512, mp4test.KeyFrame)
	cases := map[string]struct {
		data      []byte
		truncated bool
	}{
		"nothing":            {data: nil, truncated: true},
		"cut in the picture": {data: whole[:len(whole)-3], truncated: true},
		"cut before it":      {data: whole[:len(whole)-24], truncated: true},
		"a gap between":      {data: slices.Concat(whole, mp4test.Fragment(99999, 1, 512, mp4test.KeyFrame))},
		"no track fragment":  {data: slices.Concat(mp4test.Box("moof"), mp4test.Box("mdat"))},
		"no decode time":     {data: slices.Concat(mp4test.Box("moof", mp4test.Box("traf")), mp4test.Box("mdat"))},
		"samples that are not there": {truncated: true, data: slices.Concat(mp4test.Box("moof", mp4test.Box("traf",
			mp4test.Box("trun", mp4test.Uint32(0x100), mp4test.Uint32(0xffffffff)))), mp4test.Box("mdat"))},
		"another track": {data: slices.Concat(mp4test.Box("moof", mp4test.Box("traf",
			mp4test.Box("tfhd", mp4test.Uint32(0), mp4test.Uint32(2)))), mp4test.Box("mdat"))},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			segment, err := track.ParseSegment(c.data)
			if err == nil {
				t.Fatalf("got %+v, want an error", segment)
			}
			if errors.Is(err, mp4.ErrTruncated) != c.truncated {
				t.Errorf("error %q: truncated = %t, want %t", err, !c.truncated, c.truncated)
			}
		})
	}
}

func TestDurationIsExactForLongTracks(t *testing.T) {
	track, err := mp4.ParseInit(mp4test.AudioInit())
	if err != nil {
		t.Fatal(err)
	}
	const tenYears = 10 * 365 * 24 * time.Hour
	if got := track.Duration(uint64(tenYears/time.Second)*48000 + 24000); got != tenYears+500*time.Millisecond {
		t.Errorf("duration %s, want %s", got, tenYears+500*time.Millisecond)
	}
}

func FuzzParseInit(f *testing.F) {
	f.Add(mp4test.VideoInit())
	f.Add(mp4test.AudioInit())
	f.Add([]byte("\x00\x00\x00\x01moov\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		track, err := mp4.ParseInit(data)
		if err == nil && (track.Timescale == 0 || track.Codec == "") {
			t.Errorf("accepted the unusable track %+v", track)
		}
	})
}

func FuzzParseSegment(f *testing.F) {
	f.Add(mp4test.Fragment(0, 100, 512, mp4test.KeyFrame))
	f.Add(mp4test.Fragment(1<<40, 0xffffffff, 0xffffffff, mp4test.NotKeyFrame))
	track, err := mp4.ParseInit(mp4test.VideoInit())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(_ *testing.T, data []byte) {
		segment, err := track.ParseSegment(data)
		if err == nil {
			_ = track.Duration(segment.Ticks)
		}
	})
}
