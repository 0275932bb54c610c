package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/streamplane/streamplane/hack/cluster/internal/tools"
)

// cacheVariable overrides where everything that is built or run is kept.
const cacheVariable = "STREAMPLANE_CACHE"

// checkout is the repository that this program belongs to.
type checkout struct {
	root  string
	cache string
}

// findCheckout looks upwards from the working folder, then from the program.
func findCheckout() (checkout, error) {
	var starts []string
	if dir, err := os.Getwd(); err == nil {
		starts = append(starts, dir)
	}
	if exe, err := os.Executable(); err == nil {
		starts = append(starts, filepath.Dir(exe))
	}
	for _, start := range starts {
		for dir := start; ; dir = filepath.Dir(dir) {
			if _, err := os.Stat(filepath.Join(dir, "hack", "cluster", "thirdparty")); err == nil {
				return newCheckout(dir)
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return checkout{}, errors.New("run this inside a checkout of the repository: hack/cluster/thirdparty was not found")
}

func newCheckout(root string) (checkout, error) {
	cache := os.Getenv(cacheVariable)
	if cache == "" {
		cache = filepath.Join(root, ".cache")
	}
	cache, err := filepath.Abs(cache)
	if err != nil {
		return checkout{}, fmt.Errorf("find the cache folder: %w", err)
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return checkout{}, fmt.Errorf("make the cache folder: %w", err)
	}
	return checkout{root: root, cache: cache}, nil
}

func (c checkout) builder(out io.Writer) tools.Builder {
	return tools.Builder{
		Sources: filepath.Join(c.root, "hack", "cluster"),
		Cache:   filepath.Join(c.cache, "tools"),
		Out:     out,
		Now:     time.Now, //nolint:forbidigo // This is the wiring.
	}
}

// linkClients puts kubectl and helm into bin/.
func (c checkout) linkClients() error {
	bin := filepath.Join(c.root, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return fmt.Errorf("make bin: %w", err)
	}
	for _, name := range []string{"kubectl", "helm"} {
		link, target := filepath.Join(bin, name), filepath.Join(c.cache, "tools", "bin", name)
		if current, err := os.Readlink(link); err == nil && current == target {
			continue
		}
		_ = os.Remove(link)
		if err := os.Symlink(target, link); err != nil {
			return fmt.Errorf("link %s: %w", name, err)
		}
	}
	return nil
}
