package main

import (
	"io"
	"time"

	"github.com/streamplane/streamplane/services/internal/config"
	"github.com/streamplane/streamplane/services/internal/serve"
	"github.com/streamplane/streamplane/services/internal/telemetry"
)

type settings struct {
	mediaURL string
	identity telemetry.Identity
	serve    serve.Config
}

func defaults() settings {
	s := settings{
		mediaURL: "file:///media",
		identity: telemetry.Identity{Service: "streaming", Version: "dev", LogLevel: "info"},
		serve:    serve.Defaults(),
	}
	s.serve.DrainTime = time.Minute // viewers on slow lines finish their segment
	return s
}

func (s *settings) parse(args []string, getenv func(string) string, out io.Writer) error {
	version := getenv("SERVICE_VERSION")
	if version == "" {
		version = s.identity.Version
	}
	set := config.New("streaming", version, "streaming serves video on demand over HLS from a folder or an S3 bucket.")
	set.String(&s.mediaURL, "media-url", "where media lives: file:///folder or s3://bucket/prefix?endpoint=http://host:9000&region=us-east-1")
	s.serve.Register(set)
	s.identity.Register(set)
	return set.Parse(args, getenv, out)
}
