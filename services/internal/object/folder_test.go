package object_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/streamplane/streamplane/services/internal/object"
	"github.com/streamplane/streamplane/services/internal/object/objecttest"
)

func folderWith(t *testing.T, files map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	for name, content := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func openFolder(t *testing.T, path string) *object.Folder {
	t.Helper()
	store, err := object.OpenFolder(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func TestFolder(t *testing.T) {
	objecttest.Run(t, func(t *testing.T, files map[string]string) object.Store {
		t.Helper()
		return openFolder(t, folderWith(t, files))
	})
}

// The kernel sends a file by itself only when it can see the file.
func TestFolderGivesFiles(t *testing.T) {
	opened, err := openFolder(t, folderWith(t, objecttest.Files())).Open(t.Context(), "clock/720p/s1.m4s")
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close() //nolint:errcheck // only read
	if _, ok := opened.Content.(*os.File); !ok {
		t.Errorf("content is a %T, want an *os.File", opened.Content)
	}
}

func TestFolderDoesNotFollowLinksOut(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	folder := folderWith(t, objecttest.Files())
	if err := os.Symlink(secret, filepath.Join(folder, "clock", "link")); err != nil {
		t.Fatal(err)
	}
	if _, err := openFolder(t, folder).Open(t.Context(), "clock/link"); !errors.Is(err, object.ErrNotFound) {
		t.Errorf("error %v, want not found", err)
	}
}

func TestFolderSeesNewContent(t *testing.T) {
	folder := folderWith(t, objecttest.Files())
	store := openFolder(t, folder)
	before := etag(t, store)
	path := filepath.Join(folder, "clock/720p/s1.m4s")
	if err := os.WriteFile(path, []byte("9876543210"), 0o644); err != nil { // the same size
		t.Fatal(err)
	}
	if err := os.Chtimes(path, time.Time{}, time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if after := etag(t, store); after == before {
		t.Errorf("the tag stayed %s", after)
	}
}

func etag(t *testing.T, store object.Store) string {
	t.Helper()
	opened, err := store.Open(t.Context(), "clock/720p/s1.m4s")
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close() //nolint:errcheck // only read
	return opened.ETag
}

func TestOpenStore(t *testing.T) {
	folder := t.TempDir()
	cases := map[string]struct {
		location string
		ok       bool
	}{
		"folder":            {location: "file://" + folder, ok: true},
		"bucket":            {location: "s3://media/some/prefix?endpoint=http://127.0.0.1:9000&region=us-east-1", ok: true},
		"missing folder":    {location: "file://" + folder + "/nothing"},
		"relative folder":   {location: "file://media"},
		"no scheme":         {location: "/media"},
		"another scheme":    {location: "ftp://host/media"},
		"bucket, no server": {location: "s3://media"},
		"no bucket":         {location: "s3://?endpoint=http://127.0.0.1:9000"},
		"not a URL":         {location: "://"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := object.OpenStore(c.location, func(string) string { return "" })
			if (err == nil) != c.ok {
				t.Errorf("error %v, want ok = %t", err, c.ok)
			}
		})
	}
}
