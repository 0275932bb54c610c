package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/streamplane/streamplane/hack/cluster/internal/images"
	"github.com/streamplane/streamplane/hack/cluster/internal/layout"
)

// Load puts image archives onto every node.
func (l Local) Load(ctx context.Context, archives []string) error {
	unlock, err := l.lock()
	if err != nil {
		return err
	}
	defer unlock()
	r, err := l.open(ctx)
	if err != nil {
		return err
	}
	for _, archive := range archives {
		path, err := filepath.Abs(archive)
		if err != nil {
			return fmt.Errorf("find %s: %w", archive, err)
		}
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("find image archive: %w", err)
		}
		r.spec.AddImage(path)
	}
	for number := 1; number <= r.spec.Nodes; number++ {
		if err := r.loadInto(ctx, number, archives); err != nil {
			return err
		}
	}
	return r.spec.Save(r.Paths.Spec())
}

// loadInto puts archives onto one node; those that are gone meanwhile are left out.
func (r running) loadInto(ctx context.Context, number int, archives []string) error {
	store := images.Store{
		Ctr: filepath.Join(r.spec.Tools, "ctr"), Socket: r.Paths.ContainerdSocket(number),
		Record: filepath.Join(r.Paths.Node(number), "images.json"),
	}
	for _, archive := range archives {
		started := r.Now()
		fresh, err := store.Load(ctx, archive)
		switch {
		case errors.Is(err, os.ErrNotExist):
			r.say("%s is gone: load it again for %s", archive, layout.NodeName(number))
		case err != nil:
			return fmt.Errorf("load %s into %s: %w", archive, layout.NodeName(number), err)
		case fresh:
			r.say("loaded %s into %s: %s", filepath.Base(archive), layout.NodeName(number), r.Now().Sub(started).Round(100*time.Millisecond))
		}
	}
	return nil
}
