package main

import (
	"net/http"
	"strconv"

	"github.com/streamplane/streamplane/services/internal/answer"
)

// getAssets lists what can be played. When streaming is down the last good list goes out, marked as such.
func (e *edge) getAssets(w http.ResponseWriter, r *http.Request) error {
	list, err := e.assets.get(r.Context())
	if err != nil {
		return answer.Unavailable("the list of videos is resting, please try again in a moment", err)
	}
	header := w.Header()
	header.Set("Cache-Control", "no-cache")
	if list.stale {
		header.Set("Streamplane-Degraded", "streaming")
		header.Set("Age", strconv.Itoa(int(list.age.Seconds())))
	}
	return answer.JSON(w, http.StatusOK, list.assets)
}
