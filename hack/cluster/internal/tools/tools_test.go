package tools

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNamed(t *testing.T) {
	got, err := Named([]string{"helm", "etcd"})
	if err != nil || len(got) != 2 || got[0].Name != "helm" || got[1].Name != "etcd" {
		t.Errorf("Named = %v, %v", got, err)
	}
	if all, err := Named(nil); err != nil || len(all) != len(All()) {
		t.Errorf("Named() = %d tools, %v", len(all), err)
	}
	if _, err := Named([]string{"nosuch"}); err == nil || !strings.Contains(err.Error(), "kube-apiserver") {
		t.Errorf("an unknown tool gives %v, want the list of tools", err)
	}
}

// Every tool of the table has its sources, and no two share a name.
func TestTableMatchesSources(t *testing.T) {
	seen := map[string]bool{}
	for _, tool := range All() {
		if seen[tool.Name] {
			t.Errorf("two tools are called %s", tool.Name)
		}
		seen[tool.Name] = true
		if _, err := Key(filepath.Join("..", "..", tool.Module), tool, "go"); err != nil {
			t.Errorf("%s: %v", tool.Name, err)
		}
	}
}

func TestKeyFollowsWhatIsBuilt(t *testing.T) {
	tool := Tool{Name: "x", Package: "."}
	module := func(files map[string]string) string {
		dir := t.TempDir()
		for name, content := range files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	key := func(dir string, tool Tool, compiler string) string {
		k, err := Key(dir, tool, compiler)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	base := map[string]string{"go.mod": "module x", "go.sum": "a", "main.go": "package main"}
	want := key(module(base), tool, "go1")
	if got := key(module(base), tool, "go1"); got != want {
		t.Errorf("the same sources elsewhere give %s, want %s", got, want)
	}
	changed := map[string]string{
		"another module version": key(module(map[string]string{"go.mod": "module x // 2", "go.sum": "a", "main.go": "package main"}), tool, "go1"),
		"another checksum":       key(module(map[string]string{"go.mod": "module x", "go.sum": "b", "main.go": "package main"}), tool, "go1"),
		"another source":         key(module(map[string]string{"go.mod": "module x", "go.sum": "a", "main.go": "package main // 2"}), tool, "go1"),
		"another flag":           key(module(base), Tool{Name: "x", Package: ".", Flags: "-X a=b"}, "go1"),
		"another compiler":       key(module(base), tool, "go2"),
	}
	for name, got := range changed {
		if got == want {
			t.Errorf("%s does not change the key", name)
		}
	}
	if got := key(module(map[string]string{"go.mod": "module x", "go.sum": "a", "main.go": "package main", "README.md": "hello"}), tool, "go1"); got != want {
		t.Error("a file that is not built changes the key")
	}
	if _, err := Key(t.TempDir(), tool, "go1"); err == nil {
		t.Error("missing sources give a key")
	}
}
