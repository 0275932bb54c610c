package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

// pages are the documents that people wrote; docs/api.md is generated.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/decisions/*.md", "controllers/*.md", "services/*.md", "examples/*/*.md"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if filepath.Base(file) != "api.md" {
				all[file] = string(content)
			}
		}
	}
	if len(all) < 5 {
		t.Fatalf("only %d pages found", len(all))
	}
	return all
}

func TestLinksLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	for page, content := range pages(t) {
		for _, match := range link.FindAllStringSubmatch(content, -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), match[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", page, match[1])
			}
		}
	}
}

// A path in backticks may be a pattern; <placeholders> and generated folders are left out.
func TestNamedFilesExist(t *testing.T) {
	name := regexp.MustCompile("`((?:api|charts|cmd|config|controllers|docs|examples|hack|services|test|web)/[^` <>]*)`")
	for page, content := range pages(t) {
		for _, match := range name.FindAllStringSubmatch(content, -1) {
			path := match[1]
			if path == "web/dist" {
				continue
			}
			found, err := filepath.Glob(filepath.Join(root, strings.TrimSuffix(path, "/**")))
			if err != nil || len(found) == 0 {
				t.Errorf("%s names %s, which is not there", page, path)
			}
		}
	}
}

func TestNamedTargetsExist(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	targets := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^([a-z0-9-]+):`).FindAllStringSubmatch(string(makefile), -1) {
		targets[match[1]] = true
	}
	named := regexp.MustCompile("(?m)(?:`|^)make ([a-z0-9-]+)")
	for page, content := range pages(t) {
		for _, match := range named.FindAllStringSubmatch(content, -1) {
			if !targets[match[1]] {
				t.Errorf("%s says make %s, but the Makefile has no such target", page, match[1])
			}
		}
	}
}

func TestEveryTargetHasHelp(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(makefile), "\n") {
		if regexp.MustCompile(`^[a-z0-9-]+:`).MatchString(line) && !strings.Contains(line, " ## ") {
			t.Errorf("no help: %s", line)
		}
	}
	if lines := strings.Count(string(makefile), "\n"); lines > 150 {
		t.Errorf("the Makefile has %d lines, more than 150", lines)
	}
}

func TestNamedTestsExist(t *testing.T) {
	known := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "node_modules" || strings.HasPrefix(entry.Name(), ".") && path != root) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		content, err := os.ReadFile(path)
		for _, match := range function.FindAllStringSubmatch(string(content), -1) {
			known[match[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`(Test\\w+)`")
	for page, content := range pages(t) {
		for _, match := range named.FindAllStringSubmatch(content, -1) {
			if !known[match[1]] {
				t.Errorf("%s names %s, which is no test", page, match[1])
			}
		}
	}
}
