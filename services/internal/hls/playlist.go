// Package hls writes HTTP Live Streaming playlists (RFC 8216, version 7) for video on demand in fragmented MP4.
package hls

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Segment is one media segment of a rendition, as measured.
type Segment struct {
	URI      string
	Duration time.Duration
	Bytes    int64
}

// Media is the playlist of one rendition.
type Media struct {
	// Init is the URI of the initialization segment.
	Init     string
	Segments []Segment
}

// Encode writes the media playlist.
func (m Media) Encode() []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:%d\n#EXT-X-MEDIA-SEQUENCE:1\n", m.TargetSeconds())
	fmt.Fprintf(&out, "#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI=%q\n", m.Init)
	for _, s := range m.Segments {
		fmt.Fprintf(&out, "#EXTINF:%.6f,\n%s\n", s.Duration.Seconds(), s.URI)
	}
	out.WriteString("#EXT-X-ENDLIST\n")
	return out.Bytes()
}

// TargetSeconds is the longest segment duration rounded to whole seconds, at least one.
func (m Media) TargetSeconds() int {
	longest := time.Second
	for _, s := range m.Segments {
		longest = max(longest, s.Duration)
	}
	return int(math.Round(longest.Seconds()))
}

// Duration is the length of the whole rendition.
func (m Media) Duration() time.Duration {
	var sum time.Duration
	for _, s := range m.Segments {
		sum += s.Duration
	}
	return sum
}

// AverageBandwidth is the bit rate over all segments.
func (m Media) AverageBandwidth() int {
	var size int64
	for _, s := range m.Segments {
		size += s.Bytes
	}
	return bitRate(size, m.Duration())
}

// PeakBandwidth is the highest bit rate over any run of segments between a half and one and a half target durations.
func (m Media) PeakBandwidth() int {
	target := time.Duration(m.TargetSeconds()) * time.Second
	peak := m.AverageBandwidth()
	for first := range m.Segments {
		var size int64
		var length time.Duration
		for _, s := range m.Segments[first:] {
			size, length = size+s.Bytes, length+s.Duration
			if length > target*3/2 {
				break
			}
			if length >= target/2 {
				peak = max(peak, bitRate(size, length))
			}
		}
	}
	return peak
}

func bitRate(size int64, length time.Duration) int {
	if length <= 0 {
		return 0
	}
	return int(math.Ceil(float64(size) * 8 / length.Seconds()))
}

// Audio is one entry of the audio group that all variants share.
type Audio struct {
	URI, Name, Language, Codec string
	Channels                   int
	Average, Peak              int
}

// Variant is one video rendition of the master playlist; its bandwidths do not count the audio.
type Variant struct {
	URI, Codec    string
	Width, Height int
	FrameRate     float64
	Average, Peak int
}

// Master is the playlist that players open first.
type Master struct {
	Audio    []Audio
	Variants []Variant
}

const audioGroup = "audio"

// Encode writes the master playlist; the first audio entry is the default one.
func (m Master) Encode() []byte {
	var out bytes.Buffer
	out.WriteString("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n")
	isDefault := "YES"
	for _, a := range m.Audio {
		fmt.Fprintf(&out, "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=%q,NAME=%q,LANGUAGE=%q,DEFAULT=%s,AUTOSELECT=YES,CHANNELS=\"%d\",URI=%q\n",
			audioGroup, a.Name, a.Language, isDefault, a.Channels, a.URI)
		isDefault = "NO"
	}
	for _, v := range m.Variants {
		out.WriteString(m.streamInfo(v))
	}
	return out.Bytes()
}

// streamInfo adds the most demanding audio entry to the bandwidths, as RFC 8216 asks.
func (m Master) streamInfo(v Variant) string {
	codecs, average, peak, group := []string{v.Codec}, 0, 0, ""
	for _, a := range m.Audio {
		average, peak, group = max(average, a.Average), max(peak, a.Peak), fmt.Sprintf(",AUDIO=%q", audioGroup)
		if !slices.Contains(codecs, a.Codec) {
			codecs = append(codecs, a.Codec)
		}
	}
	return fmt.Sprintf("#EXT-X-STREAM-INF:BANDWIDTH=%d,AVERAGE-BANDWIDTH=%d,CODECS=%q,RESOLUTION=%dx%d,FRAME-RATE=%.3f%s\n%s\n",
		v.Peak+peak, v.Average+average, strings.Join(codecs, ","), v.Width, v.Height, v.FrameRate, group, v.URI)
}
