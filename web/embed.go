// Package web holds the viewers' web page, so that gateway needs no files beside its binary.
package web

import (
	"embed"
	"io/fs"
)

// The build of the page; a fresh clone has only a placeholder there.
//
//go:embed all:dist
var dist embed.FS

// Files is the built page.
func Files() fs.FS {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the path is a constant
	}
	return files
}
