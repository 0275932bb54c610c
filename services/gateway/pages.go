package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/streamplane/streamplane/services/internal/answer"
)

const indexName = "index.html"

// page is one file of the web UI, ready to send.
type page struct {
	contentType, cacheControl, etag string
	plain, zipped                   []byte
}

// pages holds the whole web UI in memory.
type pages struct{ files map[string]page }

// loadPages reads the build of the web UI. A clone without a build has no index; the page then says how to make one.
func loadPages(files fs.FS) (*pages, error) {
	loaded := &pages{files: map[string]page{}}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), ".") {
			return err
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		loaded.files[name], err = newPage(name, data)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("load the web page: %w", err)
	}
	return loaded, nil
}

func newPage(name string, data []byte) (page, error) {
	sum := sha256.Sum256(data)
	p := page{
		contentType: contentType(name), cacheControl: "public, max-age=3600",
		etag: hex.EncodeToString(sum[:8]), plain: data,
	}
	switch {
	case name == indexName:
		p.cacheControl = "no-cache"
	case strings.HasPrefix(name, "assets/"): // their names carry a hash of their content
		p.cacheControl = "public, max-age=31536000, immutable"
	}
	zipped, err := compress(data)
	if err != nil {
		return page{}, err
	}
	if len(zipped) < len(data)*9/10 {
		p.zipped = zipped
	}
	return p, nil
}

func compress(data []byte) ([]byte, error) {
	var out bytes.Buffer
	writer, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := writer.Write(data); err != nil {
		return nil, err
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// contentType does not ask the host's tables: slim images have none.
func contentType(name string) string {
	switch extension := path.Ext(name); extension {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	case ".webmanifest":
		return "application/manifest+json"
	default:
		return mime.TypeByExtension(extension)
	}
}

// serve sends a file, compressed for those who can read that.
func (p *pages) serve(w http.ResponseWriter, r *http.Request, name string) error {
	file, ok := p.files[name]
	if !ok {
		return answer.NotFound("there is no page %s", r.URL.Path)
	}
	header, body, etag := w.Header(), file.plain, file.etag
	if file.zipped != nil {
		header.Set("Vary", "Accept-Encoding")
		if acceptsGzip(r) {
			header.Set("Content-Encoding", "gzip")
			body, etag = file.zipped, file.etag+"-gzip"
		}
	}
	header.Set("Content-Type", file.contentType)
	header.Set("Cache-Control", file.cacheControl)
	header.Set("Etag", `"`+etag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	return nil
}

func acceptsGzip(r *http.Request) bool {
	for choice := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		coding, quality, _ := strings.Cut(strings.TrimSpace(choice), ";")
		if coding == "gzip" && strings.ReplaceAll(quality, " ", "") != "q=0" {
			return true
		}
	}
	return false
}
