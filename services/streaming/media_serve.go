package main

import (
	"errors"
	"net/http"
	"path"
	"regexp"
	"strings"

	"github.com/streamplane/streamplane/services/internal/answer"
	"github.com/streamplane/streamplane/services/internal/object"
	"github.com/streamplane/streamplane/services/internal/telemetry"
)

// Rendition folders never change once written, new content gets a new folder; only the master playlist moves on.
const (
	cacheForEver = "public, max-age=31536000, immutable"
	cacheBriefly = "public, max-age=60, stale-while-revalidate=600"
)

const playlistType = "application/vnd.apple.mpegurl"

// mediaFile is one servable file of an asset.
type mediaFile struct {
	asset, rendition, name    string
	contentType, cacheControl string
}

// serveMedia answers with all or a part of an object; http.ServeContent does HEAD, ranges and conditions.
// When the store fails halfway, fewer bytes than announced make the server cut the connection.
func (o *origin) serveMedia(w http.ResponseWriter, r *http.Request, file mediaFile) error {
	if !validID(file.asset) || file.rendition != "" && !validID(file.rendition) {
		return answer.NotFound("asset and rendition names are made of letters, digits, dots, dashes and underscores")
	}
	opened, err := o.store.Open(r.Context(), path.Join(file.asset, file.rendition, file.name))
	if err := o.judge(r, err); err != nil {
		return err
	}
	defer opened.Close() //nolint:errcheck // only read
	header := w.Header()
	header.Set("Content-Type", file.contentType)
	header.Set("Cache-Control", file.cacheControl)
	header.Set("Etag", opened.ETag)
	header.Set("X-Content-Type-Options", "nosniff")
	recorder := telemetry.Record(w)
	http.ServeContent(recorder, r, "", opened.ModTime, opened.Content)
	o.metrics.egress.Add(float64(recorder.Bytes()))
	o.sessions.seen(r)
	return nil
}

// judge turns an error of the store into a failure and remembers how the store does.
func (o *origin) judge(r *http.Request, err error) error {
	switch {
	case err == nil:
		o.state.Report("media", nil)
		return nil
	case errors.Is(err, object.ErrNotFound):
		o.state.Report("media", nil)
		return answer.NotFound("there is no media at %s", r.URL.Path)
	case r.Context().Err() != nil: // the viewer went away: no fault of the store
		return answer.Unavailable("the request was given up", err)
	}
	o.state.Report("media", err)
	return answer.Unavailable("the media store cannot be read now", err)
}

var idPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

func validID(name string) bool { return idPattern.MatchString(name) }

// containerType tells audio from video by the rendition's name: audio renditions are called audio or audio-*.
func containerType(rendition string) string {
	if rendition == "audio" || strings.HasPrefix(rendition, "audio-") {
		return "audio/mp4"
	}
	return "video/mp4"
}
