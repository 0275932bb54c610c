package release

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func load(t *testing.T, text string) (Catalog, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "releases.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(file)
}

func TestLoad(t *testing.T) {
	c, err := load(t, `
releases:
- {name: 2.0.0, images: {gateway: g:2, streaming: s:2}}
- {name: 1.0.0, images: {gateway: g:1}}
`)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Newest(); got != "2.0.0" {
		t.Errorf("newest is %s", got)
	}
	if got := c.Names(); got != "2.0.0, 1.0.0" {
		t.Errorf("names are %s", got)
	}
	older, ok := c.Find("1.0.0")
	if diff := cmp.Diff(Release{Name: "1.0.0", Images: map[string]string{"gateway": "g:1"}}, older); !ok || diff != "" {
		t.Errorf("found %t (-want +got):\n%s", ok, diff)
	}
	if r, ok := c.Find("3.0.0"); ok {
		t.Errorf("found %v", r)
	}
}

func TestBadCatalogs(t *testing.T) {
	cases := map[string]struct{ text, want string }{
		"empty file":      {"", "no release is listed"},
		"empty list":      {"releases: []", "no release is listed"},
		"unknown field":   {"releases: [{name: a, imgaes: {}}]", "imgaes"},
		"repeated field":  {"releases: [{name: a, name: b}]", "name"},
		"not YAML":        {"releases: [", "parse releases"},
		"another shape":   {"releases: {name: a}", "parse releases"},
		"no name":         {"releases: [{images: {gateway: \"g:1\"}}]", "releases[0].name"},
		"repeated name":   {"releases: [{name: a, images: {x: u}}, {name: a, images: {x: z}}]", "releases[1].name"},
		"release without": {"releases: [{name: a}]", "releases[0].images"},
		"empty image":     {"releases: [{name: a, images: {gateway: \"\"}}]", "releases[0].images[gateway]"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c, err := load(t, tc.text)
			if err == nil {
				t.Fatalf("accepted: %v", c)
			}
			if !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), "releases.yaml") {
				t.Errorf("%q names neither %q nor the file", err, tc.want)
			}
		})
	}
}

func TestMissingFile(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "none.yaml"))
	if err == nil || !strings.Contains(err.Error(), "none.yaml") {
		t.Errorf("%v does not name the file", err)
	}
}
