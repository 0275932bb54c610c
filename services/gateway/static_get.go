package main

import (
	"net/http"
	"strings"
)

// getStatic serves the scripts, styles and pictures of the web page.
func (e *edge) getStatic(w http.ResponseWriter, r *http.Request) error {
	return e.pages.serve(w, r, strings.TrimPrefix(r.URL.Path, "/"))
}
