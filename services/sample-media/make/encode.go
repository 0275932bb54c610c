package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// encoder runs ffmpeg.
type encoder struct{ program, font string }

// recipe is a digest of all that decides the bytes of the result: the arguments and ffmpeg itself.
func (e encoder) recipe(ctx context.Context, r recipe) (string, error) {
	version, err := exec.CommandContext(ctx, e.program, "-version").Output() //nolint:gosec // the program is the caller's choice
	if err != nil {
		return "", fmt.Errorf("run %s: %w (Debian: apt-get install ffmpeg)", e.program, err)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "format 1\n%s\n%+v\n%s", version, r, strings.Join(e.arguments(r, ""), "\n")))
	return hex.EncodeToString(sum[:]), nil
}

// encode writes init.mp4 and the segments of every rendition below folder.
func (e encoder) encode(ctx context.Context, r recipe, folder string) error {
	names := []string{audioTrackID}
	for _, step := range r.ladder {
		names = append(names, step.name)
	}
	for _, name := range names {
		if err := os.Mkdir(filepath.Join(folder, name), 0o755); err != nil { //nolint:gosec // images and pods of another user read these files
			return fmt.Errorf("make rendition folder: %w", err)
		}
	}
	command := exec.CommandContext(ctx, e.program, e.arguments(r, folder)...) //nolint:gosec // the program is the caller's choice
	var complaints bytes.Buffer
	command.Stderr = &complaints
	if err := command.Run(); err != nil {
		return fmt.Errorf("encode with %s: %w: %s", e.program, err, strings.TrimSpace(complaints.String()))
	}
	return nil
}

func (e encoder) arguments(r recipe, folder string) []string {
	splits, scales := "", ""
	for _, step := range r.ladder {
		splits += "[in" + step.name + "]"
		scales += fmt.Sprintf(";[in%s]scale=%d:%d:flags=bicubic+accurate_rnd+bitexact[%s]", step.name, step.width, step.height, step.name)
	}
	graph := fmt.Sprintf("[0:v]%s,split=%d%s%s", r.picture(e.font), len(r.ladder), splits, scales)
	args := words("-hide_banner -loglevel error -nostdin -y -fflags +bitexact -filter_threads 2 -filter_complex_threads 2")
	args = append(args, "-f", "lavfi", "-i", r.background(), "-f", "lavfi", "-i", r.sound(), "-filter_complex", graph)
	for _, step := range r.ladder {
		args = append(args, "-map", "["+step.name+"]")
		args = append(args, r.videoOptions(step)...)
		args = append(args, r.segmentOptions(filepath.Join(folder, step.name))...)
	}
	args = append(args, words("-map 1:a -c:a aac -flags:a +bitexact -b:a "+strconv.Itoa(r.audioBitRate))...)
	return append(args, r.segmentOptions(filepath.Join(folder, audioTrackID))...)
}

// videoOptions put a key frame every two seconds and at each segment start, at the same frames in all renditions.
// The encoder's own remark (SEI type 6) is cut out, it names the build. There is no rate cap: with threads, x264 does not repeat itself then.
func (r recipe) videoOptions(step rung) []string {
	return words(fmt.Sprintf("-c:v libx264 -preset superfast -profile:v high -bf 0 -threads 2 -flags:v +bitexact+cgop"+
		" -g %d -keyint_min %d -sc_threshold 0 -b:v %d -bsf:v filter_units=remove_types=6",
		2*r.frameRate, 2*r.frameRate, step.bitRate))
}

func (r recipe) segmentOptions(folder string) []string {
	args := words(fmt.Sprintf("-map_metadata -1 -f hls -hls_time %d -hls_playlist_type vod -hls_segment_type fmp4 -hls_fmp4_init_filename %s -start_number 1",
		r.segmentSeconds, initName))
	return append(args, "-hls_segment_filename", filepath.Join(folder, segmentPattern), filepath.Join(folder, discardedPlaylist))
}

func words(line string) []string { return strings.Fields(line) }
