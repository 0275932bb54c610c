package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// copyAssets copies what differs and says how many files that were. Each file appears whole under its name, and
// a playlist only after all that it names, so a reader or a crash in between sees nothing half done.
func copyAssets(from, to string) (int, error) {
	source := os.DirFS(from)
	names, err := filesInOrder(source)
	if err != nil {
		return 0, fmt.Errorf("read sample media: %w", err)
	}
	if len(names) == 0 {
		return 0, fmt.Errorf("no sample media in %s", from)
	}
	copied := 0
	for _, name := range names {
		data, err := fs.ReadFile(source, name)
		if err != nil {
			return copied, fmt.Errorf("read sample media: %w", err)
		}
		target := filepath.Join(to, filepath.FromSlash(name))
		if present, err := os.ReadFile(target); err == nil && bytes.Equal(present, data) { //nolint:gosec // a name below our own folder
			continue
		}
		if err := place(target, data); err != nil {
			return copied, fmt.Errorf("copy %s: %w", name, err)
		}
		copied++
	}
	return copied, nil
}

func filesInOrder(source fs.FS) ([]string, error) {
	var names []string
	err := fs.WalkDir(source, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			names = append(names, name)
		}
		return err
	})
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(turn(a), turn(b)), cmp.Compare(a, b)) })
	return names, err
}

// turn puts segments before the playlists that name them, and the facts that announce an asset last.
func turn(name string) int {
	switch path.Base(name) {
	case "asset.json":
		return 3
	case "master.m3u8":
		return 2
	case "index.m3u8":
		return 1
	}
	return 0
}

func place(target string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil { //nolint:gosec // the media folder is for another user to read
		return err
	}
	temporary := target + ".part"
	err := os.WriteFile(temporary, data, 0o644) //nolint:gosec // the media folder is for another user to read
	if err == nil {
		err = os.Rename(temporary, target)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(temporary))
	}
	return nil
}
