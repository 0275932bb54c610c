package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

var tiny = component{
	name: "tiny", pkg: "./services/tiny", description: "A test",
	folders: []folder{{from: "media", to: "/media"}},
}

// repository writes a small repository with one program and one extra folder.
func repository(t *testing.T, message string) *builder {
	t.Helper()
	root := t.TempDir()
	for file, content := range map[string]string{
		"go.mod":                         "module example.test/tiny\n\ngo 1.26.0\n",
		"services/tiny/main.go":          "package main\n\nvar version string\n\nfunc main() { println(\"" + message + "\", version) }\n",
		"charts/streamplane/Chart.yaml":  "appVersion: 1.2.3\n",
		".cache/media/clock/asset.json":  "{}\n",
		".cache/media/clock/segment.m4s": "bytes\n",
	} {
		write(t, filepath.Join(root, file), content)
	}
	b, err := newBuilder(root, "", "", "registry.test/tiny")
	if err != nil {
		t.Fatal(err)
	}
	b.log = newProgress(io.Discard, time.Now)
	return b
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func build(t *testing.T, b *builder) string {
	t.Helper()
	references, err := b.build(t.Context(), []component{tiny})
	if err != nil {
		t.Fatal(err)
	}
	return references["tiny"]
}

func load(t *testing.T, b *builder) v1.Image {
	t.Helper()
	img, err := tarball.ImageFromPath(filepath.Join(b.out, "tiny.tar"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestSameInputGivesTheSameImage(t *testing.T) {
	first, second, other := repository(t, "hello"), repository(t, "hello"), repository(t, "bye")
	if one, two := build(t, first), build(t, second); one != two {
		t.Errorf("references differ: %s, %s", one, two)
	}
	one, err := load(t, first).Digest()
	if err != nil {
		t.Fatal(err)
	}
	two, err := load(t, second).Digest()
	if err != nil {
		t.Fatal(err)
	}
	if one != two {
		t.Errorf("digests differ: %s, %s", one, two)
	}
	if build(t, other) == build(t, first) {
		t.Error("another program got the same tag")
	}
}

func TestUnchangedImageIsNotWrittenAgain(t *testing.T) {
	b := repository(t, "hello")
	reference := build(t, b)
	archive := filepath.Join(b.out, "tiny.tar")
	write(t, archive, "left alone")
	if again := build(t, b); again != reference {
		t.Errorf("reference changed from %s to %s", reference, again)
	}
	if content, _ := os.ReadFile(archive); string(content) != "left alone" {
		t.Error("the archive was written again")
	}
	write(t, filepath.Join(b.cache, "media/clock/segment.m4s"), "other bytes\n")
	if build(t, b) == reference {
		t.Error("a changed extra file kept the tag")
	}
}

func TestImageContentAndConfiguration(t *testing.T) {
	b := repository(t, "hello")
	build(t, b)
	img := load(t, b)
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"/bin/tiny"}, config.Config.Entrypoint); diff != "" {
		t.Errorf("entrypoint (-want +got):\n%s", diff)
	}
	if config.Config.User != "65532:65532" {
		t.Errorf("user is %q", config.Config.User)
	}
	if got := config.Config.Labels["org.opencontainers.image.version"]; got != "1.2.3" {
		t.Errorf("version label is %q", got)
	}
	want := []string{
		"bin/", "etc/", "etc/group", "etc/passwd", "tmp/", "bin/tiny",
		"media/", "media/clock/", "media/clock/asset.json", "media/clock/segment.m4s",
	}
	if diff := cmp.Diff(want, names(t, img)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// TestProgramFromAFolder packs a component that no compiler makes, with a link and a script.
func TestProgramFromAFolder(t *testing.T) {
	scripted := component{
		name: "tiny", command: []string{"/usr/bin/sh", "/app/run"},
		folders: []folder{{from: "shell", to: "/"}, {source: "scripts", to: "/app"}},
	}
	b := repository(t, "hello")
	write(t, filepath.Join(b.cache, "shell/usr/bin/dash"), "program\n")
	write(t, filepath.Join(b.root, "scripts/run"), "echo hello\n")
	if err := os.Chmod(filepath.Join(b.cache, "shell/usr/bin/dash"), 0o755); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(b.cache, "shell/usr/bin/sh")
	if err := os.Symlink("dash", link); err != nil {
		t.Fatal(err)
	}
	pack := func() string {
		t.Helper()
		reference, err := b.pack(scripted, "", "1.2.3", "tiny")
		if err != nil {
			t.Fatal(err)
		}
		return reference
	}
	before := pack()
	img := load(t, b)
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(scripted.command, config.Config.Entrypoint); diff != "" {
		t.Errorf("entrypoint (-want +got):\n%s", diff)
	}
	want := []string{
		"bin/ 755", "etc/ 755", "etc/group 644", "etc/passwd 644", "tmp/ 1777",
		"usr/ 755", "usr/bin/ 755", "usr/bin/dash 755", "usr/bin/sh 777 dash", "app/ 755", "app/run 644",
	}
	if diff := cmp.Diff(want, entries(t, img)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if err := errors.Join(os.Remove(link), os.Symlink("bash", link)); err != nil {
		t.Fatal(err)
	}
	if pack() == before {
		t.Error("a link to another file kept the tag")
	}
}

func TestPreparationsAreThoseOfTheComponents(t *testing.T) {
	needed := func(all ...component) string {
		var names []string
		for _, p := range preparations("cache", all...) {
			names = append(names, p.name)
		}
		return strings.Join(names, ", ")
	}
	if got := needed(components()...); got != "web, sample media" {
		t.Errorf("what we ship needs %s", got)
	}
	if got := needed(testComponents()...); got != nodejs {
		t.Errorf("tests need %s", got)
	}
}

func TestPush(t *testing.T) {
	server := httptest.NewServer(registry.New())
	defer server.Close()
	b := repository(t, "hello")
	b.registry = strings.TrimPrefix(server.URL, "http://") + "/streamplane"
	reference := build(t, b)
	if err := b.push(t.Context(), map[string]string{"tiny": reference}); err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(reference)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := remote.Get(ref); err != nil {
		t.Errorf("the image is not in the registry: %v", err)
	}
}

func TestPreparationRunsOnlyWhenItsSourcesChanged(t *testing.T) {
	b := repository(t, "hello")
	p := preparation{
		name: "page", dir: ".", sources: []string{"services"}, output: "dist/page",
		commands: [][]string{{"mkdir", "-p", "dist"}, {"sh", "-c", "echo ran >> dist/page"}},
	}
	runs := func() int {
		t.Helper()
		if err := b.prepare(context.Background(), []preparation{p}); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(filepath.Join(b.root, "dist/page"))
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Count(content, []byte("ran\n"))
	}
	if got := runs() + runs(); got != 2 {
		t.Errorf("unchanged sources: the command ran again (%d)", got)
	}
	write(t, filepath.Join(b.root, "services/tiny/page.txt"), "new")
	if got := runs(); got != 2 {
		t.Errorf("changed sources: %d runs, want 2", got)
	}
}

func TestComponentsFitTheCompilerAndTheImage(t *testing.T) {
	for _, c := range components() {
		if path.Base(c.pkg) != c.name {
			t.Errorf("%s is built from %s: the compiler would name the program differently", c.name, c.pkg)
		}
		for _, f := range c.folders {
			if strings.HasPrefix(c.program()+"/", f.to+"/") {
				t.Errorf("%s: the folder %s would hide the program", c.name, f.to)
			}
		}
	}
}

func TestDockerfileBuildsEveryComponentInThisVersion(t *testing.T) {
	content, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range components() {
		if !strings.Contains(string(content), " AS "+c.name+"\n") {
			t.Errorf("no stage %q in the Dockerfile", c.name)
		}
	}
	version, err := chartVersion("../../charts/streamplane/Chart.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(content), "ARG VERSION="+version+"\n") {
		t.Errorf("the Dockerfile does not build version %s", version)
	}
}

func TestValuesNameEveryImage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "values.yaml")
	if err := writeValues(file, "1.2.3", map[string]string{"operator": "r/operator:a", "gateway": "r/gateway:b"}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := `# Written by "make images": Helm values that run the images of this checkout.
operator:
  image: r/operator:a
release:
  images:
    gateway: r/gateway:b
  name: 1.2.3
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

func TestUsageErrors(t *testing.T) {
	cases := map[string][]string{
		"unknown verb":            {"bake"},
		"variant without a name":  {"variant", "gateway"},
		"unknown flag":            {"--fast"},
		"unknown component":       {"variant", "nothing", "e2e"},
		"variant name not a name": {"variant", "gateway", "E2E"},
	}
	for title, args := range cases {
		t.Run(title, func(t *testing.T) {
			b := repository(t, "hello")
			if err := run(t.Context(), append([]string{"--root", b.root}, args...), io.Discard, io.Discard); err == nil {
				t.Error("no error")
			}
		})
	}
}
