package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// maxRoutesBytes is what a ConfigMap holds at most.
const maxRoutesBytes = 1 << 20

// route sends a part of the paths to a service that knows nothing of gateway.
type route struct {
	// Service is its name, for people.
	Service string `json:"service"`
	// Path is the prefix, of whole elements: /a takes /a and /a/b, not /ab.
	Path string `json:"path"`
	// URL of the service; each address that its host resolves to is one pod.
	URL string `json:"url"`
	// Timeout is how long a pod has to begin its response, such as 3s; empty means 15s.
	Timeout string `json:"timeout,omitempty"`

	target  *url.URL
	timeout time.Duration
}

const defaultRouteTimeout = 15 * time.Second

// readRoutes reads {"routes": [...]}, longest path first. A missing or empty file has no routes.
func readRoutes(file string) ([]route, error) {
	content, err := readSmall(file)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(bytes.TrimSpace(content)) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var parsed struct {
		Routes []route `json:"routes"`
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&parsed); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for i := range parsed.Routes {
		if err := parsed.Routes[i].complete(); err != nil {
			return nil, fmt.Errorf("%s: routes[%d]: %w", file, i, err)
		}
	}
	return sorted(file, parsed.Routes)
}

func readSmall(file string) ([]byte, error) {
	f, err := os.Open(file) //nolint:gosec // an operator names it
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxRoutesBytes+1))
	if err == nil && len(content) > maxRoutesBytes {
		return nil, fmt.Errorf("%s is larger than %d bytes", file, maxRoutesBytes)
	}
	return content, err
}

// complete checks a route and fills in what follows from it.
func (r *route) complete() error {
	switch {
	case !strings.HasPrefix(r.Path, "/") || path.Clean(r.Path) != r.Path:
		return fmt.Errorf("path %q: use an absolute path such as /search", r.Path)
	case reserved(r.Path):
		return fmt.Errorf("path %q belongs to gateway itself: use another", r.Path)
	}
	target, err := url.Parse(r.URL)
	if err != nil || target.Hostname() == "" || target.Scheme != "http" && target.Scheme != "https" {
		return fmt.Errorf("url %q: use a URL such as http://acme-search-headless.tv.svc:8080", r.URL)
	}
	r.target, r.timeout = target, defaultRouteTimeout
	if r.Timeout == "" {
		return nil
	}
	if r.timeout, err = time.ParseDuration(r.Timeout); err != nil || r.timeout <= 0 || r.timeout > routeHeaderTimeout {
		return fmt.Errorf("timeout %q: use a duration such as 3s, at most %s", r.Timeout, routeHeaderTimeout)
	}
	return nil
}

// reserved says that gateway serves a path, or some below it, itself.
func reserved(prefix string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(prefix, "/"), "/")
	return slices.Contains([]string{"", "api", "v", "assets", "favicon.svg"}, first)
}

func sorted(file string, all []route) ([]route, error) {
	slices.SortFunc(all, func(a, b route) int {
		if len(a.Path) != len(b.Path) {
			return len(b.Path) - len(a.Path)
		}
		return strings.Compare(a.Path, b.Path)
	})
	for i := 1; i < len(all); i++ {
		if all[i].Path == all[i-1].Path {
			return nil, fmt.Errorf("%s: path %s belongs to %s and to %s", file, all[i].Path, all[i-1].Service, all[i].Service)
		}
	}
	return all, nil
}

// takes says that a request belongs to the route.
func (r *route) takes(requested string) bool {
	rest, ok := strings.CutPrefix(requested, r.Path)
	return ok && (rest == "" || rest[0] == '/')
}
