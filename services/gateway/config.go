package main

import (
	"errors"
	"io"
	"net/url"
	"time"

	"github.com/streamplane/streamplane/services/internal/balance"
	"github.com/streamplane/streamplane/services/internal/config"
	"github.com/streamplane/streamplane/services/internal/serve"
	"github.com/streamplane/streamplane/services/internal/telemetry"
)

type settings struct {
	streamingURL string
	streaming    *url.URL
	resolveEvery time.Duration
	dialTimeout  time.Duration
	// Named after the declaration of the call, whose environment they take.
	streamingTimeout time.Duration
	streamingRetries int
	routesFile       string
	identity         telemetry.Identity
	serve            serve.Config
}

// readRoutesEvery is often beside the time that a ConfigMap takes to reach the file.
const readRoutesEvery = 2 * time.Second

// routeHeaderTimeout is above the timeout of any route.
const routeHeaderTimeout = 5 * time.Minute

// maxResolveEvery keeps the promise that a new pod gets its share soon.
const maxResolveEvery = 5 * time.Second

func defaults() settings {
	return settings{
		streamingURL: "http://127.0.0.1:8081",
		resolveEvery: 2 * time.Second, dialTimeout: time.Second, streamingTimeout: 3 * time.Second, streamingRetries: 2,
		identity: telemetry.Identity{Service: "gateway", Version: "dev", LogLevel: "info"},
		serve:    serve.Defaults(),
	}
}

func (s *settings) parse(args []string, getenv func(string) string, out io.Writer) error {
	version := getenv("SERVICE_VERSION")
	if version == "" {
		version = s.identity.Version
	}
	set := config.New("gateway", version, "gateway serves the web page and its API, and passes media through from streaming.")
	set.String(&s.streamingURL, "streaming-url", "URL of streaming; each address that its host resolves to is one pod")
	set.Duration(&s.resolveEvery, "resolve-every", "time between two look-ups of streaming's pods")
	set.Duration(&s.dialTimeout, "dial-timeout", "time that a pod has to accept a connection")
	set.Duration(&s.streamingTimeout, "streaming-timeout", "time that a pod of streaming has to begin its response")
	set.Int(&s.streamingRetries, "streaming-retries", "attempts on other pods after one that failed")
	set.String(&s.routesFile, "routes-file", "JSON file with paths of other services, followed as it changes; empty means none")
	set.Check("streaming-url", s.checkStreaming)
	set.Check("resolve-every", func() error {
		if s.resolveEvery <= 0 || s.resolveEvery > maxResolveEvery {
			return errors.New("use more than 0s and at most 5s")
		}
		return nil
	})
	s.serve.Register(set)
	s.identity.Register(set)
	return set.Parse(args, getenv, out)
}

func (s *settings) checkStreaming() error {
	parsed, err := url.Parse(s.streamingURL)
	if err != nil || parsed.Hostname() == "" || parsed.Scheme != "http" && parsed.Scheme != "https" {
		return errors.New("use a URL such as http://acme-streaming-headless.tv.svc:8080")
	}
	s.streaming = parsed
	return nil
}

func (s *settings) balance(now func() time.Time) balance.Config {
	return balance.Config{
		Target: s.streaming, Now: now,
		RefreshEvery: s.resolveEvery, DialTimeout: s.dialTimeout, HeaderTimeout: s.streamingTimeout,
		Attempts: s.streamingRetries + 1,
	}
}

// routed is for services of routes, which say themselves how long they take.
func (s *settings) routed(target *url.URL, now func() time.Time) balance.Config {
	return balance.Config{
		Target: target, Now: now,
		RefreshEvery: s.resolveEvery, DialTimeout: s.dialTimeout, HeaderTimeout: routeHeaderTimeout,
	}
}
