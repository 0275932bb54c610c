package main

import "net/http"

// getMaster serves the playlist that names all renditions.
func (o *origin) getMaster(w http.ResponseWriter, r *http.Request) error {
	return o.serveMedia(w, r, mediaFile{
		asset: r.PathValue("asset"), name: "master.m3u8",
		contentType: playlistType, cacheControl: cacheBriefly,
	})
}
