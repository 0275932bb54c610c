package tools

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A tool is built once, again after a change, and never half.
func TestBuild(t *testing.T) {
	sources, cache := t.TempDir(), t.TempDir()
	write := func(name, content string) {
		path := filepath.Join(sources, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("hello/go.mod", "module hello\n\ngo 1.26\n")
	write("hello/main.go", "package main\n\nimport \"os\"\n\nfunc main() { os.Stdout.WriteString(\"one\") }\n")
	tool := []Tool{{Name: "hello", Module: "hello", Package: "."}}
	build := func() (string, error) {
		var out strings.Builder
		b := Builder{Sources: sources, Cache: cache, Out: &out, Now: time.Now}
		err := b.Build(t.Context(), tool)
		return out.String(), err
	}
	says := func() string {
		out, err := exec.CommandContext(t.Context(), filepath.Join(cache, "bin", "hello")).Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}

	if out, err := build(); err != nil || !strings.Contains(out, "[1/1] building hello: ") {
		t.Fatalf("first build: %q, %v", out, err)
	}
	if got := says(); got != "one" {
		t.Errorf("the program says %q", got)
	}
	if out, err := build(); err != nil || out != "" {
		t.Errorf("second build: %q, %v, want nothing to do", out, err)
	}
	write("hello/main.go", "package main\n\nfunc main() { broken }\n")
	if _, err := build(); err == nil || !strings.Contains(err.Error(), "broken") {
		t.Errorf("broken sources: %v, want the compiler's words", err)
	}
	if got := says(); got != "one" {
		t.Errorf("after a failed build the program says %q", got)
	}
	write("hello/main.go", "package main\n\nimport \"os\"\n\nfunc main() { os.Stdout.WriteString(\"two\") }\n")
	if _, err := build(); err != nil {
		t.Fatal(err)
	}
	if got := says(); got != "two" {
		t.Errorf("after a change the program says %q", got)
	}
	files, err := filepath.Glob(filepath.Join(cache, "hello*"))
	if err != nil || len(files) != 1 {
		t.Errorf("the cache holds %v, %v, want one file", files, err)
	}
}
