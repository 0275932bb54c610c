package main

import (
	"net/http"
	"regexp"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/streamplane/streamplane/services/internal/answer"
)

var segmentPattern = regexp.MustCompile(`^s[0-9]{1,9}\.m4s$`)

// getSegment serves a few seconds of one rendition.
func (o *origin) getSegment(w http.ResponseWriter, r *http.Request) error {
	rendition, segment := r.PathValue("rendition"), r.PathValue("segment")
	if !segmentPattern.MatchString(segment) {
		return answer.NotFound("a rendition has index.m3u8, init.mp4 and segments s1.m4s, s2.m4s and so on")
	}
	defer prometheus.NewTimer(o.metrics.segmentSeconds).ObserveDuration()
	return o.serveMedia(w, r, mediaFile{
		asset: r.PathValue("asset"), rendition: rendition, name: segment,
		contentType: containerType(rendition), cacheControl: cacheForEver,
	})
}
