package object_test

import (
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/streamplane/streamplane/services/internal/object"
	"github.com/streamplane/streamplane/services/internal/object/objecttest"
)

// bucketWith serves a bucket on 127.0.0.1; the handler sees each request first and may answer it.
func bucketWith(t *testing.T, files map[string]string, intercept func(http.Handler) http.Handler) object.Store {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("media"); err != nil {
		t.Fatal(err)
	}
	written := map[string]string{"Last-Modified": "Mon, 02 Jan 2006 15:04:05 GMT"}
	for name, content := range files {
		if _, err := backend.PutObject("media", "some/prefix/"+name, written, strings.NewReader(content), int64(len(content)), nil); err != nil {
			t.Fatal(err)
		}
	}
	silent := gofakes3.WithLogger(gofakes3.StdLog(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(intercept(gofakes3.New(backend, silent).Server()))
	t.Cleanup(server.Close)
	location := fmt.Sprintf("s3://media/some/prefix?endpoint=%s&region=us-east-1", server.URL)
	store, err := object.OpenStore(location, func(string) string { return "test" })
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func asItIs(next http.Handler) http.Handler { return next }

func TestBucket(t *testing.T) {
	objecttest.Run(t, func(t *testing.T, files map[string]string) object.Store {
		t.Helper()
		return bucketWith(t, files, asItIs)
	})
}

func TestBucketReadsNothingForHead(t *testing.T) {
	var gets atomic.Int32
	store := bucketWith(t, objecttest.Files(), func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				gets.Add(1)
			}
			next.ServeHTTP(w, r)
		})
	})
	opened, err := store.Open(t.Context(), "clock/720p/s1.m4s")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := opened.Content.Seek(0, io.SeekEnd); err != nil {
		t.Fatal(err)
	}
	if err := opened.Close(); err != nil || gets.Load() != 0 {
		t.Errorf("close: %v; %d reads, want none", err, gets.Load())
	}
}

func TestBucketReportsShortBodies(t *testing.T) {
	store := bucketWith(t, objecttest.Files(), func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet {
				next.ServeHTTP(w, r)
				return
			}
			answer := httptest.NewRecorder()
			next.ServeHTTP(answer, r)
			maps.Copy(w.Header(), answer.Header())
			w.Header().Set("Content-Length", "4")
			_, _ = w.Write(answer.Body.Bytes()[:4])
		})
	})
	opened, err := store.Open(t.Context(), "clock/720p/s1.m4s")
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close() //nolint:errcheck // only read
	if content, err := io.ReadAll(opened.Content); err == nil {
		t.Errorf("read %q without an error, but the object has 10 bytes", content)
	}
}
