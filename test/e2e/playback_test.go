//go:build e2e

package e2e

import (
	"encoding/json"
	"math"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

// media is what asset.json says about the sample video.
type media struct {
	ID              string  `json:"id"`
	DurationSeconds float64 `json:"durationSeconds"`
	Frames          int     `json:"frames"`
	FrameRate       float64 `json:"frameRate"`
}

// probed is what ffprobe says about one stream.
type probed struct {
	CodecType string `json:"codec_type"`
	Frames    string `json:"nb_read_frames"`
	Duration  string `json:"duration"`
	Width     int    `json:"width"`
	Height    int    `json:"height"`
}

// checkPlayback reads everything that the master playlist leads to, and lets
// ffmpeg decode all of it.
func checkPlayback(t *testing.T, gateway string) {
	t.Helper()
	var assets []struct{ ID, Manifest string }
	if err := json.Unmarshal([]byte(read(t, gateway+"/api/assets")), &assets); err != nil || len(assets) == 0 {
		t.Fatalf("no assets are listed: %v", err)
	}
	master := gateway + assets[0].Manifest
	variants := playlistURIs(t, master)
	if len(variants) < 4 {
		t.Fatalf("%d playlists, want 3 of video and 1 of audio: %v", len(variants), variants)
	}
	var want media
	if err := json.Unmarshal([]byte(sourceFacts(t)), &want); err != nil {
		t.Fatal(err)
	}
	for _, variant := range variants {
		segments := playlistURIs(t, variant)
		if len(segments) < 5 {
			t.Errorf("%s lists only %d segments", variant, len(segments))
		}
		for _, segment := range segments {
			if body := read(t, segment); body == "" {
				t.Errorf("%s is empty", segment)
			}
		}
		checkVariant(t, variant, want)
	}
	if out, err := run(t, "ffmpeg", "-v", "error", "-xerror", "-i", master, "-map", "0", "-f", "null", "-"); err != nil || out != "" {
		t.Errorf("decode of everything: %v %s", err, out)
	}
}

// playlistURIs are the absolute URLs in a playlist (RFC 8216): lines that are
// no tag, and the URI attributes of EXT-X-MEDIA and EXT-X-MAP.
func playlistURIs(t *testing.T, playlist string) []string {
	t.Helper()
	base, err := url.Parse(playlist)
	if err != nil {
		t.Fatal(err)
	}
	var uris []string
	for line := range strings.Lines(read(t, playlist)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#EXT-X-MEDIA:") || strings.HasPrefix(line, "#EXT-X-MAP:") {
			_, rest, _ := strings.Cut(line, `URI="`)
			line, _, _ = strings.Cut(rest, `"`)
		}
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		uri, err := base.Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		uris = append(uris, uri.String())
	}
	return uris
}

// checkVariant decodes one rendition: right duration, every frame of the
// source, timestamps one frame apart.
func checkVariant(t *testing.T, variant string, want media) {
	t.Helper()
	out, err := run(t, "ffprobe", "-v", "error", "-count_frames", "-of", "json",
		"-show_entries", "stream=codec_type,nb_read_frames,width,height:format=duration", variant)
	if err != nil {
		t.Fatalf("ffprobe %s: %v\n%s", variant, err, out)
	}
	var result struct {
		Streams []probed
		Format  struct{ Duration string }
	}
	if err := json.Unmarshal([]byte(out), &result); err != nil || len(result.Streams) != 1 {
		t.Fatalf("ffprobe %s: %v\n%s", variant, err, out) // decode errors end up here, too
	}
	duration, _ := strconv.ParseFloat(result.Format.Duration, 64)
	if math.Abs(duration-want.DurationSeconds) > 0.1 {
		t.Errorf("%s lasts %v s, want %v", variant, duration, want.DurationSeconds)
	}
	stream := result.Streams[0]
	if stream.CodecType == "video" && stream.Frames != strconv.Itoa(want.Frames) {
		t.Errorf("%s has %s frames, want %d", variant, stream.Frames, want.Frames)
	}
	checkTimestamps(t, variant, stream.CodecType, want)
}

func checkTimestamps(t *testing.T, variant, kind string, want media) {
	t.Helper()
	out, err := run(t, "ffprobe", "-v", "error", "-of", "csv=p=0", "-show_entries", "packet=pts_time", variant)
	if err != nil {
		t.Fatalf("ffprobe %s: %v\n%s", variant, err, out)
	}
	seen := map[int]bool{}
	last, gap := math.Inf(-1), 0.0
	for line := range strings.Lines(out) {
		pts, err := strconv.ParseFloat(strings.Trim(line, ", \n"), 64)
		if err != nil {
			t.Fatalf("timestamp %q of %s: %v", line, variant, err)
		}
		if kind == "video" {
			seen[int(math.Round(pts*want.FrameRate))] = true
		}
		if !math.IsInf(last, -1) {
			gap = max(gap, pts-last)
		}
		last = max(last, pts)
	}
	if kind == "audio" && gap > 0.1 {
		t.Errorf("%s has a gap of %v s", variant, gap)
	}
	if kind == "video" && len(seen) != want.Frames {
		t.Errorf("%s has packets at %d of %d frame times", variant, len(seen), want.Frames)
	}
}
