// Package objecttest is the contract of object.Store as tests; every implementation runs it.
package objecttest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/streamplane/streamplane/services/internal/object"
)

// Files is what a store under test must hold: names and contents.
func Files() map[string]string {
	return map[string]string{
		"clock/master.m3u8":    "#EXTM3U",
		"clock/720p/s1.m4s":    "0123456789",
		"clock/720p/empty.m4s": "",
		"birds/asset.json":     "{}",
		"loose.txt":            "not in a folder",
	}
}

// Run checks a store; open makes one that holds exactly the given files.
func Run(t *testing.T, open func(t *testing.T, files map[string]string) object.Store) {
	t.Helper()
	t.Run("reads whole objects", func(t *testing.T) { testReads(t, open(t, Files())) })
	t.Run("reads from any offset", func(t *testing.T) { testSeeks(t, open(t, Files())) })
	t.Run("names that are not there", func(t *testing.T) { testMissing(t, open(t, Files())) })
	t.Run("lists folders in order", func(t *testing.T) { testFolders(t, open(t, Files())) })
	t.Run("lists an empty store", func(t *testing.T) { testEmpty(t, open(t, map[string]string{})) })
	t.Run("equal content has an equal tag", func(t *testing.T) { testETags(t, open) })
	t.Run("many readers at once", func(t *testing.T) { testParallel(t, open(t, Files())) })
	t.Run("a caller who left", func(t *testing.T) { testCanceled(t, open(t, Files())) })
}

func read(ctx context.Context, store object.Store, name string) (string, error) {
	opened, err := store.Open(ctx, name)
	if err != nil {
		return "", err
	}
	data, err := io.ReadAll(opened.Content)
	if err == nil && int64(len(data)) != opened.Size {
		err = errors.New("size differs from content")
	}
	return string(data), errors.Join(err, opened.Close())
}

func testReads(t *testing.T, store object.Store) {
	t.Helper()
	got := map[string]string{}
	for name := range Files() {
		content, err := read(t.Context(), store, name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got[name] = content
	}
	if diff := cmp.Diff(Files(), got); diff != "" {
		t.Errorf("contents (-want +got):\n%s", diff)
	}
}

func testSeeks(t *testing.T, store object.Store) {
	t.Helper()
	opened, err := store.Open(t.Context(), "clock/720p/s1.m4s")
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close() //nolint:errcheck // only read
	cases := []struct {
		offset int64
		whence int
		at     int64
		want   string
	}{
		{offset: 0, whence: io.SeekEnd, at: 10, want: ""},
		{offset: 0, whence: io.SeekStart, at: 0, want: "0123"},
		{offset: 2, whence: io.SeekCurrent, at: 6, want: "6789"},
		{offset: -3, whence: io.SeekEnd, at: 7, want: "789"},
		{offset: 3, whence: io.SeekStart, at: 3, want: "3456"},
		{offset: 99, whence: io.SeekStart, at: 99, want: ""},
	}
	for _, c := range cases {
		at, err := opened.Content.Seek(c.offset, c.whence)
		if err != nil || at != c.at {
			t.Fatalf("seek %d from %d: at %d, %v, want %d", c.offset, c.whence, at, err, c.at)
		}
		var got bytes.Buffer
		if _, err := io.CopyN(&got, opened.Content, 4); err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		if got.String() != c.want {
			t.Errorf("read %q at %d, want %q", got.String(), c.at, c.want)
		}
	}
	if _, err := opened.Content.Seek(-1, io.SeekStart); err == nil {
		t.Error("seek before the start worked")
	}
}

func testMissing(t *testing.T, store object.Store) {
	t.Helper()
	for _, name := range []string{
		"", ".", "..", "/", "clock", "clock/", "/clock/master.m3u8", "nothing", "clock/nothing", "clock/master.m3u8/more",
		"../clock/master.m3u8", "clock/../clock/master.m3u8", "clock//master.m3u8", "../../../etc/passwd", "clock/./master.m3u8",
	} {
		if _, err := store.Open(t.Context(), name); !errors.Is(err, object.ErrNotFound) {
			t.Errorf("open %q: error %v, want not found", name, err)
		}
	}
}

func testFolders(t *testing.T, store object.Store) {
	t.Helper()
	folders, err := store.Folders(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"birds", "clock"}, folders); diff != "" {
		t.Errorf("folders (-want +got):\n%s", diff)
	}
}

func testEmpty(t *testing.T, store object.Store) {
	t.Helper()
	folders, err := store.Folders(t.Context())
	if err != nil || len(folders) != 0 {
		t.Errorf("folders %q, %v, want none", folders, err)
	}
}

// testETags compares two stores: replicas must agree, and other content must not look the same.
func testETags(t *testing.T, open func(t *testing.T, files map[string]string) object.Store) {
	t.Helper()
	tag := func(store object.Store) string {
		opened, err := store.Open(t.Context(), "a/s1.m4s")
		if err != nil {
			t.Fatal(err)
		}
		defer opened.Close() //nolint:errcheck // only read
		if len(opened.ETag) < 8 || opened.ETag[0] != '"' || opened.ETag[len(opened.ETag)-1] != '"' {
			t.Errorf("ETag %s is not a strong validator", opened.ETag)
		}
		return opened.ETag
	}
	one := tag(open(t, map[string]string{"a/s1.m4s": "aaaa"}))
	same := tag(open(t, map[string]string{"a/s1.m4s": "aaaa"}))
	other := tag(open(t, map[string]string{"a/s1.m4s": "bbbb"}))
	if one != same || one == other {
		t.Errorf("tags %s and %s for equal content, %s for other content", one, same, other)
	}
}

func testParallel(t *testing.T, store object.Store) {
	t.Helper()
	var readers sync.WaitGroup
	for range 16 {
		readers.Go(func() {
			for name, want := range Files() {
				if got, err := read(t.Context(), store, name); err != nil || got != want {
					t.Errorf("%s: %q, %v", name, got, err)
				}
			}
		})
	}
	readers.Wait()
}

func testCanceled(t *testing.T, store object.Store) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if content, err := read(ctx, store, "clock/720p/s1.m4s"); err == nil && content != "0123456789" {
		t.Errorf("read %q without an error", content)
	}
}
