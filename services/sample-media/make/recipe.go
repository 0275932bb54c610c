package main

import (
	"fmt"
	"strings"
)

// recipe describes the sample video; every fact that a check relies on starts here.
type recipe struct {
	id, title      string
	seconds        int
	frameRate      int
	segmentSeconds int
	frameCodeBits  int
	ladder         []rung
	audioBitRate   int
}

// rung is one video rendition.
type rung struct {
	name          string
	width, height int
	bitRate       int
}

func clock() recipe {
	return recipe{
		id: "clock", title: "Streamplane clock",
		seconds: 36, frameRate: 25, segmentSeconds: 4, frameCodeBits: 10, audioBitRate: 96_000,
		ladder: []rung{
			{name: "360p", width: 640, height: 360, bitRate: 400_000},
			{name: "540p", width: 960, height: 540, bitRate: 800_000},
			{name: "720p", width: 1280, height: 720, bitRate: 1_500_000},
		},
	}
}

func (r recipe) frames() int { return r.seconds * r.frameRate }

// Sound: each second has its own whole-number frequency, so the wave is continuous where it changes.
const (
	sampleRate   = 48_000
	toneBase     = 220
	toneStep     = 20
	aacFrame     = 1024
	audioTrackID = "audio"
)

// samples fills whole AAC frames just below the length of the video, so no stub segment is left at the end.
func (r recipe) samples() int { return (r.seconds*sampleRate/aacFrame - 1) * aacFrame }

func (r recipe) sound() string {
	wave := fmt.Sprintf("0.2*sin(2*PI*(%d+%d*floor(t))*t)", toneBase, toneStep)
	return fmt.Sprintf("aevalsrc=exprs='%s|%s':s=%d:d=%d,atrim=end_sample=%d", wave, wave, sampleRate, r.seconds, r.samples())
}

func (r recipe) background() string {
	return fmt.Sprintf("gradients=s=1280x720:r=%d:d=%d:n=3:c0=0x0b1026:c1=0x3a1c71:c2=0x0f4c75:seed=7:speed=0.012:x0=0:y0=0:x1=1279:y1=719",
		r.frameRate, r.seconds)
}

// Frame code: white cells on black from the top left of the 720p picture, the most significant bit first.
const (
	codeX, codeY, codeCell, codePitch = 40, 40, 32, 34
)

// picture draws the frame number for machines, then a clock and the frame number for people.
func (r recipe) picture(font string) string {
	steps := []string{fmt.Sprintf("drawbox=x=%d:y=%d:w=%d:h=%d:c=black:t=fill",
		codeX-4, codeY-4, r.frameCodeBits*codePitch+6, codeCell+8)}
	for bit := range r.frameCodeBits {
		x := codeX + codePitch*(r.frameCodeBits-1-bit)
		steps = append(steps, fmt.Sprintf("drawbox=x=%d:y=%d:w=%d:h=%d:c=white:t=fill:enable='mod(floor(n/%d),2)'",
			x, codeY, codeCell, codeCell, 1<<bit))
	}
	for _, text := range []string{
		"text=STREAMPLANE:fontcolor=white@0.9:fontsize=40:x=w-tw-40:y=36",
		"text=●:fontcolor=0xff5c8a:fontsize=120:x='w/2-tw/2+(w/2-120)*sin(2*PI*t/6)':y='h/2-th/2+(h/2-140)*cos(2*PI*t/4)'",
		fmt.Sprintf(`text='%%{eif\:n/%d/60\:d\:2}\:%%{eif\:mod(floor(n/%d),60)\:d\:2}.%%{eif\:mod(n,%d)*%d\:d\:3}':`,
			r.frameRate, r.frameRate, r.frameRate, 1000/r.frameRate) +
			"fontcolor=white:fontsize=130:x=(w-tw)/2:y=(h-th)/2:box=1:boxcolor=black@0.35:boxborderw=28",
		"text='frame %{frame_num}':fontcolor=white@0.9:fontsize=48:x=(w-tw)/2:y=h-130",
	} {
		steps = append(steps, "drawtext=fontfile="+font+":"+text)
	}
	return strings.Join(append(steps, "format=yuv420p"), ",")
}
