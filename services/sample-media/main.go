// Command sample-media copies the sample assets of its image into a media folder. It runs before streaming starts.
package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/streamplane/streamplane/services/internal/config"
)

func main() {
	err := run(os.Args[1:], os.Getenv)
	if err != nil && !errors.Is(err, config.ErrDone) {
		fmt.Fprintln(os.Stderr, "sample-media:", err)
	}
	os.Exit(config.ExitCode(err))
}

func run(args []string, getenv func(string) string) error {
	from, target := "/sample-media", "/media"
	version := getenv("SERVICE_VERSION")
	if version == "" {
		version = "dev"
	}
	set := config.New("sample-media", version, "sample-media copies the sample assets of its image into a media folder.")
	set.String(&from, "from", "folder with one folder per asset")
	set.String(&target, "to", "folder that gets the assets; files that are there already stay as they are")
	if err := set.Parse(args, getenv, os.Stdout); err != nil {
		return err
	}
	copied, err := copyAssets(from, target)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	log.Info("Sample media is in place", "service", "sample-media", "version", version, "folder", target, "filesCopied", copied)
	return nil
}
