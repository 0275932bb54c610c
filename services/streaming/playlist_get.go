package main

import "net/http"

// getPlaylist serves the list of segments of one rendition.
func (o *origin) getPlaylist(w http.ResponseWriter, r *http.Request) error {
	return o.serveMedia(w, r, mediaFile{
		asset: r.PathValue("asset"), rendition: r.PathValue("rendition"), name: "index.m3u8",
		contentType: playlistType, cacheControl: cacheForEver,
	})
}
