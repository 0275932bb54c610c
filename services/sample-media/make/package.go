package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/streamplane/streamplane/services/internal/hls"
	"github.com/streamplane/streamplane/services/internal/mp4"
)

// Names of the files of an asset; the streaming service serves the same ones.
const (
	initName          = "init.mp4"
	segmentPattern    = "s%d.m4s"
	mediaPlaylist     = "index.m3u8"
	masterPlaylist    = "master.m3u8"
	factsName         = "asset.json"
	discardedPlaylist = "ffmpeg.m3u8" // ffmpeg insists on writing one; ours is measured
)

// rendition is one packaged track.
type rendition struct {
	folder  string // named after its content, so its files can be cached for ever
	track   mp4.Track
	media   hls.Media
	samples int
	files   map[string]string // file name to SHA-256
}

// packageAsset measures what ffmpeg made, writes the playlists and, last, the facts.
func packageAsset(r recipe, digest, folder string) error {
	var videos []rendition
	for _, step := range r.ladder {
		video, err := packageRendition(folder, step.name)
		if err != nil {
			return err
		}
		if err := video.check(r); err != nil {
			return fmt.Errorf("rendition %s: %w", step.name, err)
		}
		videos = append(videos, video)
	}
	audio, err := packageRendition(folder, audioTrackID)
	if err != nil {
		return err
	}
	if err := write(filepath.Join(folder, masterPlaylist), master(r, videos, audio).Encode()); err != nil {
		return err
	}
	facts, err := json.MarshalIndent(factsOf(r, digest, append(videos, audio)), "", "  ")
	if err != nil {
		return fmt.Errorf("encode facts: %w", err)
	}
	return write(filepath.Join(folder, factsName), append(facts, '\n'))
}

func packageRendition(asset, name string) (rendition, error) {
	folder := filepath.Join(asset, name)
	result, err := measure(folder)
	if err != nil {
		return rendition{}, fmt.Errorf("measure rendition %s: %w", name, err)
	}
	if err := os.Remove(filepath.Join(folder, discardedPlaylist)); err != nil {
		return rendition{}, fmt.Errorf("remove ffmpeg's playlist: %w", err)
	}
	if err := write(filepath.Join(folder, mediaPlaylist), result.media.Encode()); err != nil {
		return rendition{}, err
	}
	result.folder = name + "-" + result.contentHash()
	if err := os.Rename(folder, filepath.Join(asset, result.folder)); err != nil {
		return rendition{}, fmt.Errorf("name rendition after its content: %w", err)
	}
	return result, nil
}

// measure parses every segment of a rendition; a gap in time is an error.
func measure(folder string) (rendition, error) {
	result := rendition{media: hls.Media{Init: initName}, files: map[string]string{}}
	head, err := result.read(folder, initName)
	if err != nil {
		return rendition{}, err
	}
	if result.track, err = mp4.ParseInit(head); err != nil {
		return rendition{}, fmt.Errorf("%s: %w", initName, err)
	}
	var end uint64
	for number := 1; ; number++ {
		name := fmt.Sprintf(segmentPattern, number)
		data, err := result.read(folder, name)
		if os.IsNotExist(err) && number > 1 {
			return result, nil
		}
		if err != nil {
			return rendition{}, err
		}
		segment, err := result.track.ParseSegment(data)
		if err != nil {
			return rendition{}, fmt.Errorf("%s: %w", name, err)
		}
		if number > 1 && segment.Start != end {
			return rendition{}, fmt.Errorf("%s starts at tick %d, the one before ends at %d", name, segment.Start, end)
		}
		if !segment.StartsWithKey {
			return rendition{}, fmt.Errorf("%s does not start with a key frame", name)
		}
		end = segment.Start + segment.Ticks
		result.samples += segment.Samples
		result.media.Segments = append(result.media.Segments, hls.Segment{
			URI: name, Duration: result.track.Duration(segment.Ticks), Bytes: int64(len(data)),
		})
	}
}

func (r *rendition) read(folder, name string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(folder, name)) //nolint:gosec // our own working folder
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	r.files[name] = hex.EncodeToString(sum[:])
	return data, nil
}

// check holds a video rendition against the recipe.
func (r rendition) check(want recipe) error {
	if r.samples != want.frames() {
		return fmt.Errorf("has %d frames, want %d", r.samples, want.frames())
	}
	for _, s := range r.media.Segments {
		if int(s.Duration.Seconds()*1000) != want.segmentSeconds*1000 {
			return fmt.Errorf("%s lasts %s, want %d s", s.URI, s.Duration, want.segmentSeconds)
		}
	}
	return nil
}

// contentHash changes whenever a byte of the rendition does.
func (r rendition) contentHash() string {
	digests := []byte(r.files[initName])
	for _, segment := range r.media.Segments {
		digests = append(digests, r.files[segment.URI]...)
	}
	sum := sha256.Sum256(digests)
	return hex.EncodeToString(sum[:])[:8]
}

func master(r recipe, videos []rendition, audio rendition) hls.Master {
	playlist := hls.Master{Audio: []hls.Audio{{
		URI: audio.folder + "/" + mediaPlaylist, Name: "Tone", Language: "en", Codec: audio.track.Codec,
		Channels: audio.track.Channels, Average: audio.media.AverageBandwidth(), Peak: audio.media.PeakBandwidth(),
	}}}
	for _, v := range videos {
		playlist.Variants = append(playlist.Variants, hls.Variant{
			URI: v.folder + "/" + mediaPlaylist, Codec: v.track.Codec, Width: v.track.Width, Height: v.track.Height,
			FrameRate: float64(r.frameRate), Average: v.media.AverageBandwidth(), Peak: v.media.PeakBandwidth(),
		})
	}
	return playlist
}

func write(path string, data []byte) error {
	if err := os.WriteFile(path, data, 0o644); err != nil { //nolint:gosec // images and pods of another user read these files
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}
