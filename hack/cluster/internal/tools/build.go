package tools

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Builder builds tools from the sources of the checkout into the cache.
type Builder struct {
	// Sources is the folder hack/cluster of the checkout.
	Sources string
	// Cache is the folder that receives the tools.
	Cache string
	// Out receives the progress lines.
	Out io.Writer
	// Now tells the time.
	Now func() time.Time
}

// Bin is the folder with one entry per tool, under its plain name.
func (b Builder) Bin() string { return filepath.Join(b.Cache, "bin") }

// Build makes every tool that the cache does not hold yet.
func (b Builder) Build(ctx context.Context, wanted []Tool) error {
	if err := os.MkdirAll(b.Bin(), 0o755); err != nil {
		return fmt.Errorf("make the tool folder: %w", err)
	}
	missing, err := b.missing(ctx, wanted)
	if err != nil || len(missing) == 0 {
		return err
	}
	unlock, err := b.lock()
	if err != nil {
		return err
	}
	defer unlock()
	// Another build may have made them while this one waited.
	if missing, err = b.missing(ctx, wanted); err != nil {
		return err
	}
	for i, m := range missing {
		step := fmt.Sprintf("[%d/%d] building %s", i+1, len(missing), m.tool.Name)
		if err := b.progress(step, func() error { return b.build(ctx, m) }); err != nil {
			return err
		}
	}
	return nil
}

type keyed struct {
	tool Tool
	key  string
}

func (b Builder) missing(ctx context.Context, wanted []Tool) ([]keyed, error) {
	version, err := goVersion(ctx)
	if err != nil {
		return nil, err
	}
	var missing []keyed
	for _, t := range wanted {
		key, err := Key(filepath.Join(b.Sources, t.Module), t, version)
		if err != nil {
			return nil, err
		}
		if target, err := os.Readlink(filepath.Join(b.Bin(), t.Name)); err != nil || filepath.Base(target) != fileName(t, key) {
			missing = append(missing, keyed{tool: t, key: key})
		} else if _, err := os.Stat(filepath.Join(b.Cache, fileName(t, key))); err != nil {
			missing = append(missing, keyed{tool: t, key: key})
		}
	}
	return missing, nil
}

// Key identifies what a tool is built from: its pinned modules, the sources
// beside them, the flags and the compiler.
func Key(module string, t Tool, compiler string) (string, error) {
	files, err := filepath.Glob(filepath.Join(module, "*.go"))
	if err != nil {
		return "", fmt.Errorf("list sources of %s: %w", t.Name, err)
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		if path := filepath.Join(module, name); fileExists(path) {
			files = append(files, path)
		}
	}
	if len(files) == 0 {
		return "", fmt.Errorf("sources of %s are missing: %s", t.Name, module)
	}
	slices.Sort(files)
	sum := sha256.New()
	_, _ = fmt.Fprintf(sum, "%s\n%+v\n", compiler, t)
	for _, path := range files {
		content, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("read sources of %s: %w", t.Name, err)
		}
		_, _ = fmt.Fprintf(sum, "%s %d\n", filepath.Base(path), len(content))
		_, _ = sum.Write(content)
	}
	return hex.EncodeToString(sum.Sum(nil))[:12], nil
}

func (b Builder) build(ctx context.Context, m keyed) error {
	final := filepath.Join(b.Cache, fileName(m.tool, m.key))
	unfinished := final + ".unfinished"
	defer func() { _ = os.Remove(unfinished) }()
	args := []string{
		"build", "-trimpath", "-buildvcs=false", "-tags", m.tool.Tags,
		"-ldflags", strings.TrimSpace("-s -w " + m.tool.Flags), "-o", unfinished, m.tool.Package,
	}
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = filepath.Join(b.Sources, m.tool.Module)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", m.tool.Name, err, lastLines(output.String(), 20))
	}
	if err := os.Rename(unfinished, final); err != nil {
		return fmt.Errorf("keep %s: %w", m.tool.Name, err)
	}
	return b.link(m.tool, final)
}

// link points the plain name at the new file and drops older files, which
// running programs may go on using.
func (b Builder) link(t Tool, final string) error {
	link := filepath.Join(b.Bin(), t.Name)
	fresh := link + ".new"
	_ = os.Remove(fresh)
	if err := os.Symlink(filepath.Join("..", filepath.Base(final)), fresh); err != nil {
		return fmt.Errorf("link %s: %w", t.Name, err)
	}
	if err := os.Rename(fresh, link); err != nil {
		return fmt.Errorf("link %s: %w", t.Name, err)
	}
	older, _ := filepath.Glob(filepath.Join(b.Cache, t.Name+"@*"))
	for _, path := range older {
		if path != final {
			_ = os.Remove(path)
		}
	}
	return nil
}

// progress runs one step and says how long it takes, while it takes it.
func (b Builder) progress(step string, run func() error) error {
	started := b.Now()
	done := make(chan error, 1)
	go func() { done <- run() }()
	tick := time.NewTicker(30 * time.Second)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			if err == nil {
				_, _ = fmt.Fprintf(b.Out, "%s: %s\n", step, elapsed(b.Now().Sub(started)))
			}
			return err
		case <-tick.C:
			_, _ = fmt.Fprintf(b.Out, "%s ... %s\n", step, elapsed(b.Now().Sub(started)))
		}
	}
}

// lock keeps two builds from doing the same work at the same time.
func (b Builder) lock() (func(), error) {
	file, err := os.OpenFile(filepath.Join(b.Cache, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the build lock: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		_, _ = fmt.Fprintln(b.Out, "waiting for another build of the tools")
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
		if err != nil {
			return nil, fmt.Errorf("lock the build: %w", err)
		}
	}
	return func() { _ = file.Close() }, nil
}

func goVersion(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOVERSION", "GOARCH").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("run go: %w: %s (the Go toolchain must be on the PATH)", err, strings.TrimSpace(string(out)))
	}
	return strings.TrimSpace(string(out)), nil
}

func fileName(t Tool, key string) string { return t.Name + "@" + key }

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func elapsed(d time.Duration) string { return d.Round(time.Second).String() }

func lastLines(text string, count int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-count):], "\n")
}
