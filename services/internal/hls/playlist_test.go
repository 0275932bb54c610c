package hls_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mogiioin/hls-m3u8/m3u8"

	"github.com/streamplane/streamplane/services/internal/hls"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func media() hls.Media {
	return hls.Media{Init: "init.mp4", Segments: []hls.Segment{
		{URI: "s1.m4s", Duration: 4 * time.Second, Bytes: 400_000},
		{URI: "s2.m4s", Duration: 4010667 * time.Microsecond, Bytes: 600_000},
		{URI: "s3.m4s", Duration: 500 * time.Millisecond, Bytes: 200_000},
	}}
}

func master() hls.Master {
	return hls.Master{
		Audio: []hls.Audio{
			{URI: "audio-1/index.m3u8", Name: "English", Language: "en", Codec: "mp4a.40.2", Channels: 2, Average: 90_000, Peak: 100_000},
			{URI: "audio-2/index.m3u8", Name: "Deutsch", Language: "de", Codec: "mp4a.40.2", Channels: 6, Average: 190_000, Peak: 200_000},
		},
		Variants: []hls.Variant{
			{URI: "360p/index.m3u8", Codec: "avc1.64001e", Width: 640, Height: 360, FrameRate: 25, Average: 400_000, Peak: 500_000},
			{URI: "720p/index.m3u8", Codec: "avc1.64001f", Width: 1280, Height: 720, FrameRate: 30000.0 / 1001, Average: 1_400_000, Peak: 1_500_000},
		},
	}
}

func TestGoldenPlaylists(t *testing.T) {
	cases := map[string][]byte{
		"media.m3u8":       media().Encode(),
		"master.m3u8":      master().Encode(),
		"master-mute.m3u8": hls.Master{Variants: master().Variants[:1]}.Encode(),
		"media-empty.m3u8": hls.Media{Init: "init.mp4"}.Encode(),
	}
	for name, got := range cases {
		t.Run(name, func(t *testing.T) {
			golden := filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("playlist (-want +got):\n%s", diff)
			}
		})
	}
}

// An independent parser in strict mode must read what we write.
func TestOthersReadOurPlaylists(t *testing.T) {
	parsed, kind, err := m3u8.DecodeFrom(bytes.NewReader(master().Encode()), true)
	if err != nil || kind != m3u8.MASTER {
		t.Fatalf("decode master: kind %d, %v", kind, err)
	}
	list := parsed.(*m3u8.MasterPlaylist)
	if len(list.Variants) != 2 || list.Variants[1].Resolution != "1280x720" || list.Variants[1].Bandwidth != 1_700_000 {
		t.Errorf("variants %+v", list.Variants)
	}
	if list.Variants[0].AverageBandwidth != 590_000 || list.Variants[0].Codecs != "avc1.64001e,mp4a.40.2" {
		t.Errorf("first variant %+v", list.Variants[0])
	}
	parsed, kind, err = m3u8.DecodeFrom(bytes.NewReader(media().Encode()), true)
	if err != nil || kind != m3u8.MEDIA {
		t.Fatalf("decode media: kind %d, %v", kind, err)
	}
	segments := parsed.(*m3u8.MediaPlaylist)
	if segments.Count() != 3 || !segments.Closed || segments.TargetDuration != 4 || segments.Map.URI != "init.mp4" {
		t.Errorf("media playlist: %d segments, closed %t, target %v, map %+v", segments.Count(), segments.Closed, segments.TargetDuration, segments.Map)
	}
}

func TestBandwidth(t *testing.T) {
	second := func(seconds float64, size int64) hls.Segment {
		return hls.Segment{Duration: time.Duration(seconds * float64(time.Second)), Bytes: size}
	}
	cases := map[string]struct {
		segments      []hls.Segment
		average, peak int
	}{
		"none":              {},
		"equal":             {segments: []hls.Segment{second(4, 500), second(4, 500)}, average: 1000, peak: 1000},
		"one is heavy":      {segments: []hls.Segment{second(4, 500), second(4, 1500)}, average: 2000, peak: 3000},
		"a stub is no peak": {segments: []hls.Segment{second(4, 500), second(0.1, 1000)}, average: 2927, peak: 2927},
		"short segments count together": {
			segments: []hls.Segment{second(4, 500), second(1, 1000), second(1, 1000), second(4, 500)}, average: 2400, peak: 8000,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			m := hls.Media{Segments: c.segments}
			if m.AverageBandwidth() != c.average || m.PeakBandwidth() != c.peak {
				t.Errorf("average %d, peak %d, want %d and %d", m.AverageBandwidth(), m.PeakBandwidth(), c.average, c.peak)
			}
		})
	}
}
