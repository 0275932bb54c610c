package images

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPauseImageIsReproducible(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "pause")
	if err := os.WriteFile(program, []byte("program"), 0o600); err != nil {
		t.Fatal(err)
	}
	pack := func(name string) []byte {
		target := filepath.Join(dir, name)
		if err := WritePause(program, target); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(target)
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	if !bytes.Equal(pack("a.tar"), pack("b.tar")) {
		t.Error("the same program gives two archives")
	}
	names, err := references(filepath.Join(dir, "a.tar"))
	if diff := cmp.Diff([]string{PauseReference}, names); diff != "" || err != nil {
		t.Errorf("references: %v (-want +got):\n%s", err, diff)
	}
}

func TestReferences(t *testing.T) {
	cases := map[string]struct {
		files map[string]string
		want  []string
		fails bool
	}{
		"Docker":            {files: map[string]string{"layer.tar": "x", "manifest.json": `[{"RepoTags":["a/b:1","a/b:2"]},{"RepoTags":["c:3"]}]`}, want: []string{"a/b:1", "a/b:2", "c:3"}},
		"OCI":               {files: map[string]string{"index.json": `{"manifests":[{"annotations":{"io.containerd.image.name":"x/y:1"}}]}`}, want: []string{"x/y:1"}},
		"no name":           {files: map[string]string{"index.json": `{"manifests":[{}]}`}, fails: true},
		"something else":    {files: map[string]string{"README": "hello"}, fails: true},
		"a broken manifest": {files: map[string]string{"manifest.json": `{`}, fails: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			w := tar.NewWriter(&out)
			for file, content := range tc.files {
				if err := addFile(w, &tar.Header{Name: file, Size: int64(len(content))}, []byte(content)); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "x.tar")
			if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := references(path)
			if (err != nil) != tc.fails {
				t.Fatalf("references: %v", err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// fakeCtr stands in for containerd's client: it notes calls and lists images.
const fakeCtr = `#!/bin/sh
echo "$6 $7" >> "$0.calls"
[ "$6" = list ] && cat "$0.images" 2>/dev/null
exit 0
`

func TestLoadSkipsWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	ctr := filepath.Join(dir, "ctr")
	write := func(path, content string) {
		if err := os.WriteFile(path, []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write(ctr, fakeCtr)
	program, archive := filepath.Join(dir, "pause"), filepath.Join(dir, "pause.tar")
	write(program, "one")
	store := Store{Ctr: ctr, Socket: "s", Record: filepath.Join(dir, "record")}
	load := func(want bool) {
		t.Helper()
		if err := WritePause(program, archive); err != nil {
			t.Fatal(err)
		}
		if got, err := store.Load(t.Context(), archive); err != nil || got != want {
			t.Errorf("Load = %t, %v, want %t", got, err, want)
		}
	}
	load(true)
	write(ctr+".images", "other:1\n"+PauseReference+"\n")
	load(false)
	write(program, "two")
	load(true)
	load(false)
	write(program, "one") // the same name has moved on meanwhile
	load(true)
	write(ctr+".images", "other:1\n")
	load(true)
}

func TestContainsAllKnowsDefaultRegistry(t *testing.T) {
	have := []string{"docker.io/library/web:1", "docker.io/team/api:1", "ghcr.io/x/y:1"}
	for name, want := range map[string]bool{"web:1": true, "team/api:1": true, "ghcr.io/x/y:1": true, "web:2": false, "x/y:1": false} {
		if got := containsAll(have, []string{name}); got != want {
			t.Errorf("containsAll(%s) = %t", name, got)
		}
	}
}
