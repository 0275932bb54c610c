package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func sampleFolder(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for _, name := range []string{"clock/asset.json", "clock/master.m3u8", "clock/720p/index.m3u8", "clock/720p/init.mp4", "clock/720p/s1.m4s"} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("content of "+name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func contents(t *testing.T, folder string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := fs.WalkDir(os.DirFS(folder), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(folder, name))
		found[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestCopy(t *testing.T) {
	cases := map[string]struct {
		prepare func(t *testing.T, from, to string)
		copied  int
	}{
		"all into an empty folder": {prepare: func(*testing.T, string, string) {}, copied: 5},
		"nothing the second time": {copied: 0, prepare: func(t *testing.T, from, to string) {
			t.Helper()
			if _, err := copyAssets(from, to); err != nil {
				t.Fatal(err)
			}
		}},
		"what a crash left half done": {copied: 4, prepare: func(t *testing.T, from, to string) {
			t.Helper()
			if _, err := copyAssets(from, to); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"asset.json", "master.m3u8", "720p/index.m3u8"} {
				if err := os.Remove(filepath.Join(to, "clock", name)); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(filepath.Join(to, "clock/720p/s1.m4s"), []byte("cont"), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(to, "clock/720p/s1.m4s.part"), []byte("co"), 0o644); err != nil {
				t.Fatal(err)
			}
		}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			from, to := sampleFolder(t), t.TempDir()
			c.prepare(t, from, to)
			copied, err := copyAssets(from, to)
			if err != nil || copied != c.copied {
				t.Fatalf("copied %d files, %v, want %d", copied, err, c.copied)
			}
			if diff := cmp.Diff(contents(t, from), contents(t, to)); diff != "" {
				t.Errorf("contents (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPlaylistsComeLast(t *testing.T) {
	names, err := filesInOrder(os.DirFS(sampleFolder(t)))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"clock/720p/init.mp4", "clock/720p/s1.m4s", "clock/720p/index.m3u8", "clock/master.m3u8", "clock/asset.json"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestCopySaysWhatIsWrong(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct{ from, to, want string }{
		"no source":              {from: "/nothing/here", to: t.TempDir(), want: "read sample media"},
		"empty source":           {from: t.TempDir(), to: t.TempDir(), want: "no sample media"},
		"target is not a folder": {from: sampleFolder(t), to: file, want: "copy clock/720p/init.mp4"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if err := run([]string{"--from=" + c.from, "--to=" + c.to}, os.Getenv); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}
