package docs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// folder is where the plugin is built, in one test and for all; empty until then.
var folder string

// plugin builds what the pages tell people to use.
var plugin = sync.OnceValues(func() (program string, err error) {
	if folder, err = os.MkdirTemp("", "streamplane-docs-"); err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-o", folder, "./cmd/kubectl-streamplane")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return filepath.Join(folder, "kubectl-streamplane"), nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if folder != "" {
		if err := os.RemoveAll(folder); err != nil {
			fmt.Fprintln(os.Stderr, "remove the built plugin:", err)
		}
	}
	os.Exit(code)
}

func built(t *testing.T) string {
	t.Helper()
	program, err := plugin()
	if err != nil {
		t.Fatal(err)
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
	program, found := built(t), 0
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
	program, found := built(t), 0
	helps := map[string]string{}
	command := regexp.MustCompile("kubectl streamplane ([a-z]+)([^`\n#]*)")
	flag := regexp.MustCompile(` (--?[a-zA-Z][a-z-]*)`)
	for page, content := range pages(t) {
		for _, match := range command.FindAllStringSubmatch(content, -1) {
			found++
			if _, known := helps[match[1]]; !known {
				help, err := exec.CommandContext(t.Context(), program, match[1], "--help").CombinedOutput()
				if err != nil {
					t.Errorf("%s says %q: %v", page, match[0], err)
				}
				helps[match[1]] = string(help)
			}
			help := helps[match[1]]
			if !strings.Contains(help, "streamplane "+match[1]) {
				t.Errorf("%s says %q, but there is no such command", page, match[0])
				continue
			}
			for _, used := range flag.FindAllStringSubmatch(match[2], -1) {
				if !strings.Contains(help, used[1]) {
					t.Errorf("%s says %q, but there is no %s", page, match[0], used[1])
				}
			}
		}
	}
	if found < 5 {
		t.Errorf("only %d commands found", found)
	}
}
