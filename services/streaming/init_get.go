package main

import "net/http"

// getInit serves what a decoder needs before the first segment of a rendition.
func (o *origin) getInit(w http.ResponseWriter, r *http.Request) error {
	rendition := r.PathValue("rendition")
	return o.serveMedia(w, r, mediaFile{
		asset: r.PathValue("asset"), rendition: rendition, name: "init.mp4",
		contentType: containerType(rendition), cacheControl: cacheForEver,
	})
}
