package main

import (
	"net/http"

	"github.com/streamplane/streamplane/services/internal/answer"
)

// getPage serves the web page. It needs no other service.
func (e *edge) getPage(w http.ResponseWriter, r *http.Request) error {
	if _, built := e.pages.files[indexName]; !built {
		return &answer.Error{
			Status: http.StatusServiceUnavailable, Code: "page_not_built",
			Message: "this gateway was built without its web page: run `npm ci && npm run build` in web/, then build gateway again",
		}
	}
	return e.pages.serve(w, r, indexName)
}
