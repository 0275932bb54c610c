package object

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"
)

// Folder is a Store on a file system. Nothing outside of the folder can be reached, not even through links.
type Folder struct {
	root *os.Root

	mu    sync.Mutex
	etags map[string]fingerprint
}

// fingerprint remembers the digest of a file until its size or time changes.
type fingerprint struct {
	size    int64
	modTime time.Time
	etag    string
}

// maxFingerprints bounds the memory for digests.
const maxFingerprints = 50_000

// OpenFolder opens an existing folder.
func OpenFolder(path string) (*Folder, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("open media folder: %w", err)
	}
	return &Folder{root: root, etags: map[string]fingerprint{}}, nil
}

// Open opens a regular file.
func (f *Folder) Open(_ context.Context, name string) (*Object, error) {
	if !valid(name) {
		return nil, ErrNotFound
	}
	file, err := f.root.Open(name)
	if err != nil {
		return nil, notFoundOr(err)
	}
	object, err := f.describe(name, file)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return object, nil
}

func (f *Folder) describe(name string, file *os.File) (*Object, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("stat media file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, ErrNotFound
	}
	etag, err := f.etag(name, info, file)
	if err != nil {
		return nil, err
	}
	return &Object{Content: file, Size: info.Size(), ModTime: info.ModTime(), ETag: etag}, nil
}

// etag is made from the content: replicas that copied the same media must agree, and their file times differ.
func (f *Folder) etag(name string, info fs.FileInfo, file *os.File) (string, error) {
	f.mu.Lock()
	known, ok := f.etags[name]
	f.mu.Unlock()
	if ok && known.size == info.Size() && known.modTime.Equal(info.ModTime()) {
		return known.etag, nil
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", fmt.Errorf("digest media file: %w", err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return "", fmt.Errorf("rewind media file: %w", err)
	}
	etag := `"` + hex.EncodeToString(sum.Sum(nil)[:16]) + `"`
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.etags) >= maxFingerprints {
		clear(f.etags)
	}
	f.etags[name] = fingerprint{size: info.Size(), modTime: info.ModTime(), etag: etag}
	return etag, nil
}

// Folders lists the folders of the root.
func (f *Folder) Folders(context.Context) ([]string, error) {
	entries, err := fs.ReadDir(f.root.FS(), ".")
	if err != nil {
		return nil, fmt.Errorf("list media folder: %w", err)
	}
	var names []string
	for _, entry := range entries {
		if entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

// Close releases the folder.
func (f *Folder) Close() error { return f.root.Close() }

// notFoundOr treats what cannot be a media file, such as a path through a file or out of the folder, as missing.
func notFoundOr(err error) error {
	var pathError *fs.PathError
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("open media file: %w", err)
	}
	if errors.As(err, &pathError) || errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	return fmt.Errorf("open media file: %w", err)
}
