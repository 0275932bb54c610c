package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// fingerprint hashes names and contents, so that equal fingerprints mean equal input.
type fingerprint struct {
	hash hash.Hash
}

func newFingerprint() fingerprint {
	return fingerprint{hash: sha256.New()}
}

// text adds a labelled string.
func (f fingerprint) text(label, value string) {
	fmt.Fprintf(f.hash, "%s %d:%s\n", label, len(value), value)
}

// tree adds a file, or a folder with everything below it except folders with an ignored name.
func (f fingerprint) tree(path string, ignore []string) error {
	return filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("read sources: %w", err)
		}
		if entry.IsDir() {
			if slices.Contains(ignore, entry.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		relative, err := filepath.Rel(path, name)
		if err != nil {
			return fmt.Errorf("read sources: %w", err)
		}
		return f.entry(name, filepath.ToSlash(relative), entry)
	})
}

// entry adds a file or a symbolic link as an image holds it.
func (f fingerprint) entry(name, relative string, entry fs.DirEntry) error {
	if entry.Type() == fs.ModeSymlink {
		target, err := os.Readlink(name)
		if err != nil {
			return fmt.Errorf("read sources: %w", err)
		}
		f.text("link", relative)
		f.text("target", target)
		return nil
	}
	info, err := entry.Info()
	if err != nil {
		return fmt.Errorf("read sources: %w", err)
	}
	f.text("file", relative)
	f.text("mode", fmt.Sprintf("%o", modeOf(info)))
	return f.content(name)
}

func (f fingerprint) content(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("read sources: %w", err)
	}
	defer file.Close()
	size, err := io.Copy(f.hash, file)
	if err != nil {
		return fmt.Errorf("read sources: %w", err)
	}
	f.text("size", fmt.Sprint(size))
	return nil
}

func (f fingerprint) String() string {
	return hex.EncodeToString(f.hash.Sum(nil))
}

// exists tells whether there is a file or folder of that name.
func exists(name string) (bool, error) {
	_, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
