package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// packing is part of every key; raise it when the way images are packed changes.
const packing = "2"

// builder turns components of one repository into images.
type builder struct {
	root     string
	cache    string
	out      string
	registry string
	version  string
	log      *progress
}

// built is the record of an image on disk; an equal key means that it need not be packed again.
type built struct {
	Key       string `json:"key"`
	Reference string `json:"reference"`
}

// prepare runs the preparations that the components need and whose sources changed.
func (b *builder) prepare(ctx context.Context, all []preparation) error {
	for _, p := range all {
		if err := b.prepareOne(ctx, p); err != nil {
			return fmt.Errorf("prepare %s: %w", p.name, err)
		}
	}
	return nil
}

func (b *builder) prepareOne(ctx context.Context, p preparation) error {
	sum := newFingerprint()
	sum.text("commands", fmt.Sprint(p.commands))
	for _, source := range p.sources {
		if err := sum.tree(filepath.Join(b.root, source), p.ignore); err != nil {
			return err
		}
	}
	output := p.output
	if !filepath.IsAbs(output) {
		output = filepath.Join(b.root, output)
	}
	record := filepath.Join(b.cache, "prepared", strings.ReplaceAll(p.name, " ", "-"))
	present, err := exists(output)
	if err != nil {
		return err
	}
	known, err := os.ReadFile(record)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if present && string(known) == sum.String() {
		b.log.printf("%s: unchanged", p.name)
		return nil
	}
	b.log.printf("%s: building", p.name)
	for _, command := range p.commands {
		if err := b.command(ctx, filepath.Join(b.root, p.dir), nil, command...); err != nil {
			return err
		}
	}
	b.log.printf("%s: done", p.name)
	return writeFile(record, []byte(sum.String()))
}

// compile builds all packages in one call into a folder and returns it; the compiler skips what is up to date.
func (b *builder) compile(ctx context.Context, folder, version string, packages ...string) (string, error) {
	dir := filepath.Join(b.out, folder)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make folder: %w", err)
	}
	b.log.printf("compiling %s", strings.Join(packages, " "))
	args := append([]string{
		"go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags=-s -w -X main.version=" + version, "-o", dir + "/",
	}, packages...)
	return dir, b.command(ctx, b.root, []string{"CGO_ENABLED=0", "GOOS=linux"}, args...)
}

// pack writes OUT/<file>.tar unless that image is there already, and returns its reference. An empty program
// means that a folder of the component brings it.
func (b *builder) pack(c component, program, version, file string) (string, error) {
	key, err := b.key(c, program, version)
	if err != nil {
		return "", err
	}
	archive, record := filepath.Join(b.out, file+".tar"), filepath.Join(b.out, file+".json")
	present, err := exists(archive)
	if err != nil {
		return "", err
	}
	if old := readRecord(record); present && old.Key == key {
		b.log.printf("%s: unchanged, %s", file, old.Reference)
		return old.Reference, nil
	}
	img, err := b.assemble(c, program, version)
	if err != nil {
		return "", err
	}
	tag, err := tagOf(img)
	if err != nil {
		return "", err
	}
	ref, err := name.NewTag(b.registry + "/" + c.name + ":" + tag)
	if err != nil {
		return "", fmt.Errorf("name image: %w", err)
	}
	if err := writeArchive(archive, ref, img); err != nil {
		return "", fmt.Errorf("write %s: %w", archive, err)
	}
	b.log.printf("%s: built, %s", file, ref)
	data, err := json.Marshal(built{Key: key, Reference: ref.String()})
	if err != nil {
		return "", fmt.Errorf("write record: %w", err)
	}
	return ref.String(), writeFile(record, data)
}

// writeArchive leaves no half of an archive behind.
func writeArchive(archive string, tag name.Tag, img v1.Image) error {
	if err := os.MkdirAll(filepath.Dir(archive), 0o755); err != nil {
		return err
	}
	if err := tarball.WriteToFile(archive+".part", tag, img); err != nil {
		return err
	}
	return os.Rename(archive+".part", archive)
}

// key fingerprints everything that ends up in the image.
func (b *builder) key(c component, program, version string) (string, error) {
	sum := newFingerprint()
	sum.text("packing", packing+users+groups)
	sum.text("platform", runtime.GOARCH)
	sum.text("name", b.registry+"/"+c.name+" "+fmt.Sprint(c.entrypoint()))
	sum.text("labels", fmt.Sprint(labels(c, version)))
	if program != "" {
		if err := sum.content(program); err != nil {
			return "", err
		}
	}
	for _, f := range c.folders {
		sum.text("folder", f.to)
		if err := sum.tree(b.path(f), nil); err != nil {
			return "", err
		}
	}
	return sum.String(), nil
}

// command runs a program whose output goes to the progress stream.
func (b *builder) command(ctx context.Context, dir string, env []string, args ...string) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = b.log.w, b.log.w
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", strings.Join(args, " "), err)
	}
	return nil
}

// readRecord returns the zero record when there is none or it cannot be read: the image is then packed again.
func readRecord(file string) built {
	var record built
	data, err := os.ReadFile(file)
	if err != nil || json.Unmarshal(data, &record) != nil {
		return built{}
	}
	return record
}

// writeFile replaces a file in one step and leaves it alone when it has that content.
func writeFile(file string, content []byte) error {
	if old, err := os.ReadFile(file); err == nil && string(old) == string(content) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	if err := os.WriteFile(file+".part", content, 0o644); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	if err := os.Rename(file+".part", file); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return nil
}
