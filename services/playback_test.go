package services_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mogiioin/hls-m3u8/m3u8"
)

// facts is the part of asset.json that the checks need.
type facts struct {
	DurationSeconds, Frames, FrameRate, SegmentSeconds int
	FrameCode                                          struct{ Bits, X, Y, Cell, Pitch, ReferenceWidth int }
	Tone                                               struct{ BaseHz, StepHz int }
}

// TestPlayback makes the sample video, serves it by real processes, and judges every frame and second of it.
func TestPlayback(t *testing.T) {
	needTools(t, "ffmpeg", "ffprobe")
	media := sampleMedia(t)
	var want facts
	data, err := os.ReadFile(filepath.Join(media, "clock", "asset.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	streaming := startService(t, "streaming", "--media-url=file://"+media)
	gateway := startService(t, "gateway", "--streaming-url=http://"+streaming.address)
	base := "http://" + gateway.address + "/v/clock/"
	master := readMaster(t, base)
	t.Run("every stream decodes whole", func(t *testing.T) { checkStreams(t, base, want) })
	for _, variant := range master.Variants {
		t.Run("frames of "+variant.Resolution, func(t *testing.T) { checkFrames(t, base+variant.URI, variant.Resolution, want) })
	}
	t.Run("sound", func(t *testing.T) { checkSound(t, base+master.Variants[0].Alternatives[0].URI, want) })
	t.Run("stops without an error", func(t *testing.T) {
		gateway.terminate(t)
		streaming.terminate(t)
	})
}

// needTools skips where a developer has no ffmpeg, and fails in CI, where it must be there.
func needTools(t *testing.T, tools ...string) {
	t.Helper()
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err == nil {
			continue
		}
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is not installed", tool)
		}
		t.Skipf("%s is not installed (Debian: apt-get install ffmpeg)", tool)
	}
}

// sampleMedia makes the media in the repository's cache, where the images are made from too.
func sampleMedia(t *testing.T) string {
	t.Helper()
	cache := os.Getenv("STREAMPLANE_CACHE")
	if cache == "" {
		cache = filepath.Join("..", ".cache")
	}
	media, err := filepath.Abs(filepath.Join(cache, "media"))
	if err != nil {
		t.Fatal(err)
	}
	output(t, exec.CommandContext(t.Context(), "go", "run", "-trimpath", "-buildvcs=false", "./sample-media/make", "--out="+media))
	return media
}

// output runs a command that must work and say nothing on standard error but its log.
func output(t *testing.T, command *exec.Cmd) []byte {
	t.Helper()
	var complaints bytes.Buffer
	command.Stderr = &complaints
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, complaints.String())
	}
	if command.Args[0] != "go" && complaints.Len() > 0 {
		t.Errorf("%s complains:\n%s", command, complaints.String())
	}
	return out
}

// process is a service that runs.
type process struct {
	command *exec.Cmd
	address string
}

func startService(t *testing.T, name string, args ...string) process {
	t.Helper()
	program := filepath.Join(t.TempDir(), name)
	output(t, exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-o", program, "./"+name))
	command := exec.CommandContext(context.WithoutCancel(t.Context()), program, append(args, "--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0", "--drain-delay=0s")...)
	log, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill() })
	address := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(log)
		for lines.Scan() {
			var line struct{ Msg, Listen string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "Serving" {
				address <- line.Listen
			}
		}
	}()
	select {
	case found := <-address:
		return process{command: command, address: found}
	case <-time.After(30 * time.Second):
		t.Fatalf("%s does not serve", name)
		return process{}
	}
}

func (p process) terminate(t *testing.T) {
	t.Helper()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.command.Wait(); err != nil {
		t.Errorf("%s ended with %v", p.command, err)
	}
}

func readMaster(t *testing.T, base string) *m3u8.MasterPlaylist {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"master.m3u8", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	parsed, kind, err := m3u8.DecodeFrom(bytes.NewReader(data), true)
	if err != nil || kind != m3u8.MASTER {
		t.Fatalf("master playlist: kind %d, %v\n%s", kind, err, data)
	}
	master := parsed.(*m3u8.MasterPlaylist)
	if len(master.Variants) < 3 || len(master.Variants[0].Alternatives) == 0 {
		t.Fatalf("want three renditions and an audio group:\n%s", data)
	}
	return master
}

// checkStreams lets ffprobe decode all renditions through the gateway.
func checkStreams(t *testing.T, base string, want facts) {
	t.Helper()
	probed := output(t, exec.CommandContext(t.Context(), "ffprobe", "-v", "error", "-count_frames", "-of", "json",
		"-show_entries", "stream=codec_name,nb_read_frames:format=duration", base+"master.m3u8"))
	var result struct {
		Streams []struct {
			Codec  string `json:"codec_name"`
			Frames string `json:"nb_read_frames"`
		}
		Format struct{ Duration string }
	}
	if err := json.Unmarshal(probed, &result); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, stream := range result.Streams {
		seen[stream.Codec]++
		if stream.Codec == "h264" && stream.Frames != strconv.Itoa(want.Frames) {
			t.Errorf("a rendition has %s frames, want %d", stream.Frames, want.Frames)
		}
	}
	if seen["h264"] < 3 || seen["aac"] == 0 {
		t.Errorf("streams %v", seen)
	}
	if seconds, err := strconv.ParseFloat(result.Format.Duration, 64); err != nil || math.Abs(seconds-float64(want.DurationSeconds)) > 0.1 {
		t.Errorf("duration %s, want %d", result.Format.Duration, want.DurationSeconds)
	}
}

// checkFrames reads the frame number that is drawn into each picture, and the time stamps.
func checkFrames(t *testing.T, playlist, resolution string, want facts) {
	t.Helper()
	width, height := parseResolution(t, resolution)
	decode := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-nostdin", "-i", playlist, "-map", "0:v",
		"-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "-")
	pictures, err := decode.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := decode.Start(); err != nil {
		t.Fatal(err)
	}
	picture := make([]byte, width*height)
	for number := range want.Frames {
		if _, err := io.ReadFull(pictures, picture); err != nil {
			t.Fatalf("frame %d: %v", number, err)
		}
		if got := frameNumber(picture, width, want); got != number {
			t.Fatalf("picture %d shows the number %d", number, got)
		}
	}
	if rest, err := io.Copy(io.Discard, pictures); err != nil || rest > 0 {
		t.Errorf("%d more bytes after the last frame, %v", rest, err)
	}
	if err := decode.Wait(); err != nil {
		t.Errorf("decode: %v", err)
	}
	checkTimes(t, playlist, want)
}

func parseResolution(t *testing.T, resolution string) (width, height int) {
	t.Helper()
	before, after, _ := strings.Cut(resolution, "x")
	width, errWidth := strconv.Atoi(before)
	height, errHeight := strconv.Atoi(after)
	if errWidth != nil || errHeight != nil {
		t.Fatalf("resolution %q", resolution)
	}
	return width, height
}

// frameNumber looks at the middle of each cell.
func frameNumber(picture []byte, width int, want facts) int {
	code, number := want.FrameCode, 0
	for bit := range code.Bits {
		x := (code.X + bit*code.Pitch + code.Cell/2) * width / code.ReferenceWidth
		y := (code.Y + code.Cell/2) * width / code.ReferenceWidth
		number <<= 1
		if picture[y*width+x] > 127 {
			number |= 1
		}
	}
	return number
}

// checkTimes wants one frame every tick of the frame rate, and a key frame at each segment start.
func checkTimes(t *testing.T, playlist string, want facts) {
	t.Helper()
	probed := output(t, exec.CommandContext(t.Context(), "ffprobe", "-v", "error", "-select_streams", "v", "-of", "csv=p=0",
		"-show_entries", "packet=pts_time,flags", playlist))
	number := 0
	for line := range strings.Lines(string(probed)) {
		columns := strings.Split(strings.TrimSpace(line), ",")
		at, err := strconv.ParseFloat(columns[0], 64)
		if err != nil || math.Abs(at-float64(number)/float64(want.FrameRate)) > 0.001 {
			t.Fatalf("frame %d is at %s, %v", number, columns[0], err)
		}
		if number%(want.SegmentSeconds*want.FrameRate) == 0 && !strings.HasPrefix(columns[1], "K") {
			t.Errorf("frame %d starts a segment and is no key frame", number)
		}
		number++
	}
	if number != want.Frames {
		t.Errorf("%d time stamps, want %d", number, want.Frames)
	}
}

// checkSound counts how often the wave crosses zero in the middle of each second.
func checkSound(t *testing.T, playlist string, want facts) {
	t.Helper()
	const rate = 48000
	pcm := output(t, exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-nostdin", "-i", playlist,
		"-f", "s16le", "-ac", "1", "-ar", strconv.Itoa(rate), "-"))
	samples := make([]int16, len(pcm)/2)
	if err := binary.Read(bytes.NewReader(pcm), binary.LittleEndian, samples); err != nil {
		t.Fatal(err)
	}
	if len(samples) < (want.DurationSeconds-1)*rate+rate/2 {
		t.Fatalf("%d samples", len(samples))
	}
	for second := range want.DurationSeconds - 1 {
		part := samples[second*rate+rate/4 : second*rate+rate*3/4]
		crossings := 0
		for i := 1; i < len(part); i++ {
			if part[i-1] < 0 != (part[i] < 0) {
				crossings++
			}
		}
		if tone := want.Tone.BaseHz + second*want.Tone.StepHz; math.Abs(float64(crossings-tone)) > 4 { // half a second: as many crossings as hertz
			t.Errorf("second %d sounds at %d Hz, want %d", second, crossings, tone)
		}
	}
}
