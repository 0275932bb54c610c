package main

import (
	"net/http"

	"github.com/streamplane/streamplane/services/internal/answer"
)

// getAssets lists what can be played.
func (o *origin) getAssets(w http.ResponseWriter, r *http.Request) error {
	assets, err := o.catalog.list(r.Context())
	if err := o.judge(r, err); err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-cache")
	return answer.JSON(w, http.StatusOK, assets)
}
