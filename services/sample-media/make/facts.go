package main

import (
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/streamplane/streamplane/services/internal/mp4"
)

// facts is the sidecar of an asset: its name for viewers, and what a check needs to judge every frame.
type facts struct {
	ID              string           `json:"id"`
	Title           string           `json:"title"`
	DurationSeconds int              `json:"durationSeconds"`
	Frames          int              `json:"frames"`
	FrameRate       int              `json:"frameRate"`
	SegmentSeconds  int              `json:"segmentSeconds"`
	FrameCode       frameCode        `json:"frameCode"`
	Tone            tone             `json:"tone"`
	Renditions      []renditionFacts `json:"renditions"`
	Recipe          string           `json:"recipe"`
}

// frameCode says where the frame number (from 0) is drawn: bits cells, most significant first, white is 1.
// The numbers are pixels of the referenceWidth picture; smaller renditions scale them.
type frameCode struct {
	Bits           int `json:"bits"`
	X              int `json:"x"`
	Y              int `json:"y"`
	Cell           int `json:"cell"`
	Pitch          int `json:"pitch"`
	ReferenceWidth int `json:"referenceWidth"`
}

// tone says which frequency sounds in second n (from 0): baseHz + n * stepHz.
type tone struct {
	BaseHz int `json:"baseHz"`
	StepHz int `json:"stepHz"`
}

type renditionFacts struct {
	Folder     string            `json:"folder"`
	Kind       mp4.Kind          `json:"kind"`
	Codec      string            `json:"codec"`
	Width      int               `json:"width,omitempty"`
	Height     int               `json:"height,omitempty"`
	Channels   int               `json:"channels,omitempty"`
	SampleRate int               `json:"sampleRate,omitempty"`
	Segments   int               `json:"segments"`
	Samples    int               `json:"samples"`
	SHA256     map[string]string `json:"sha256"`
}

func factsOf(r recipe, digest string, renditions []rendition) facts {
	result := facts{
		ID: r.id, Title: r.title, DurationSeconds: r.seconds, Frames: r.frames(), FrameRate: r.frameRate,
		SegmentSeconds: r.segmentSeconds, Recipe: digest, Tone: tone{BaseHz: toneBase, StepHz: toneStep},
		FrameCode: frameCode{Bits: r.frameCodeBits, X: codeX, Y: codeY, Cell: codeCell, Pitch: codePitch, ReferenceWidth: 1280},
	}
	for _, one := range renditions {
		result.Renditions = append(result.Renditions, renditionFacts{
			Folder: one.folder, Kind: one.track.Kind, Codec: one.track.Codec,
			Width: one.track.Width, Height: one.track.Height, Channels: one.track.Channels, SampleRate: one.track.SampleRate,
			Segments: len(one.media.Segments), Samples: one.samples, SHA256: one.files,
		})
	}
	return result
}

// upToDate tells whether the asset was made by the same recipe; its facts are written last.
func upToDate(asset, digest string) bool {
	data, err := os.ReadFile(filepath.Join(asset, factsName)) //nolint:gosec // the caller's output folder
	if err != nil {
		return false
	}
	var made facts
	return json.Unmarshal(data, &made) == nil && made.Recipe == digest
}
