package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path"
	"sync"
	"time"

	"github.com/streamplane/streamplane/services/internal/object"
)

const (
	catalogAge    = 5 * time.Second // how long a listing is reused
	maxAssets     = 1000
	maxFactsBytes = 1 << 20
)

// asset is one playable video as clients see it.
type asset struct {
	ID              string  `json:"id"`
	Title           string  `json:"title"`
	DurationSeconds float64 `json:"durationSeconds"`
	Manifest        string  `json:"manifest"`
}

// catalog lists the assets of a store. One caller at a time reads it, the others use what that one found.
type catalog struct {
	store object.Store
	log   *slog.Logger
	now   func() time.Time

	mu     sync.Mutex
	assets []asset
	read   time.Time
}

func (c *catalog) list(ctx context.Context) ([]asset, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.assets != nil && c.now().Sub(c.read) < catalogAge {
		return c.assets, nil
	}
	folders, err := c.store.Folders(ctx)
	if err != nil {
		return nil, fmt.Errorf("list assets: %w", err)
	}
	assets := []asset{}
	for _, folder := range folders[:min(len(folders), maxAssets)] {
		one, err := c.describe(ctx, folder)
		if err != nil {
			c.log.WarnContext(ctx, "Left an asset out", "asset", folder, "error", err)
			continue
		}
		assets = append(assets, one)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	c.assets, c.read = assets, c.now()
	return assets, nil
}

// describe reads the facts of an asset; one that is still being written has none.
func (c *catalog) describe(ctx context.Context, id string) (asset, error) {
	if !validID(id) {
		return asset{}, errors.New("folder name cannot be an asset id")
	}
	facts, err := c.store.Open(ctx, path.Join(id, "asset.json"))
	if err != nil {
		return asset{}, err
	}
	defer facts.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(io.LimitReader(facts.Content, maxFactsBytes))
	if err != nil {
		return asset{}, fmt.Errorf("read asset.json: %w", err)
	}
	var result asset
	if err := json.Unmarshal(data, &result); err != nil {
		return asset{}, fmt.Errorf("parse asset.json: %w", err)
	}
	if result.ID != id {
		return asset{}, fmt.Errorf("asset.json belongs to %q", result.ID)
	}
	result.Manifest = "/v/" + id + "/master.m3u8"
	return result, nil
}
