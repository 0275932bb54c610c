package docs

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// plugin is the kubectl plugin that the pages tell people to use.
func plugin(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "kubectl-streamplane")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./cmd/kubectl-streamplane")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// blocks are the fenced blocks of a language.
func blocks(page, language string) []string {
	var all []string
	for _, match := range regexp.MustCompile("(?ms)^ *```"+language+"\n(.*?)^ *```").FindAllStringSubmatch(page, -1) {
		all = append(all, match[1])
	}
	return all
}

// Whole resources in the pages are rendered; what is only a part of one is not looked at.
func TestManifestsRender(t *testing.T) {
	program, found := plugin(t), 0
	for page, content := range pages(t) {
		for _, manifest := range blocks(content, "yaml") {
			if !strings.Contains(manifest, "apiVersion: streamplane.dev/") {
				continue
			}
			found++
			render := exec.CommandContext(t.Context(), program, "render", "-f", "-")
			render.Stdin = strings.NewReader(manifest)
			if out, err := render.CombinedOutput(); err != nil || !strings.Contains(string(out), "kind: Deployment") {
				t.Errorf("%s: %v\n%s\n%.2000s", page, err, manifest, out)
			}
		}
	}
	if found < 3 {
		t.Errorf("only %d manifests found", found)
	}
}

func TestCommandsOfThePluginExist(t *testing.T) {
	program, found := plugin(t), 0
	command := regexp.MustCompile("kubectl streamplane ([a-z]+)([^`\n#]*)")
	flag := regexp.MustCompile(` (--?[a-zA-Z][a-z-]*)`)
	for page, content := range pages(t) {
		for _, match := range command.FindAllStringSubmatch(content, -1) {
			found++
			help, err := exec.CommandContext(t.Context(), program, match[1], "--help").CombinedOutput()
			if err != nil || !strings.Contains(string(help), "streamplane "+match[1]) {
				t.Errorf("%s says %q: %v", page, match[0], err)
				continue
			}
			for _, used := range flag.FindAllStringSubmatch(match[2], -1) {
				if !strings.Contains(string(help), used[1]) {
					t.Errorf("%s says %q, but there is no %s", page, match[0], used[1])
				}
			}
		}
	}
	if found < 5 {
		t.Errorf("only %d commands found", found)
	}
}
