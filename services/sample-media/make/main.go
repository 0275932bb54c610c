// Command make renders the sample video with ffmpeg and packages it for streaming:
//
//	go run ./services/sample-media/make --out .cache/media
//
// The same ffmpeg gives the same bytes each time. Nothing is done when the result is up to date.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		slog.Error("Make sample media", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("make", flag.ContinueOnError)
	out := flags.String("out", ".cache/media", "folder that gets one folder per asset")
	ffmpeg := flags.String("ffmpeg", "ffmpeg", "ffmpeg program to run")
	font := flags.String("font", "/usr/share/fonts/truetype/dejavu/DejaVuSansMono-Bold.ttf", "font of the burnt-in clock (Debian: fonts-dejavu-core)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if _, err := os.Stat(*font); err != nil {
		return fmt.Errorf("find the font: %w (Debian: apt-get install fonts-dejavu-core)", err)
	}
	program := encoder{program: *ffmpeg, font: *font}
	recipe, err := program.recipe(ctx, clock())
	if err != nil {
		return err
	}
	target := filepath.Join(*out, clock().id)
	if upToDate(target, recipe) {
		slog.Info("Sample media is up to date", "folder", target)
		return nil
	}
	return build(ctx, program, recipe, target)
}

// build works in a folder beside the target, so that a crash never leaves half an asset behind.
func build(ctx context.Context, program encoder, recipe, target string) error {
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil { //nolint:gosec // images and pods of another user read these files
		return fmt.Errorf("make the output folder: %w", err)
	}
	work, err := os.MkdirTemp(filepath.Dir(target), ".making-")
	if err != nil {
		return fmt.Errorf("make a working folder: %w", err)
	}
	defer os.RemoveAll(work) //nolint:errcheck // best effort; the folder is only scratch
	slog.Info("Rendering sample media", "asset", clock().id, "seconds", clock().seconds)
	if err := program.encode(ctx, clock(), work); err != nil {
		return err
	}
	if err := packageAsset(clock(), recipe, work); err != nil {
		return err
	}
	if err := os.Chmod(work, 0o755); err != nil { //nolint:gosec // images and pods of another user read these files
		return fmt.Errorf("open the folder to readers: %w", err)
	}
	if err := os.RemoveAll(target); err != nil {
		return fmt.Errorf("remove the old asset: %w", err)
	}
	if err := os.Rename(work, target); err != nil && !upToDate(target, recipe) { // another run may have been quicker
		return fmt.Errorf("publish the asset: %w", err)
	}
	slog.Info("Sample media is ready", "folder", target)
	return nil
}
