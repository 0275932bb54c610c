package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// epoch stamps everything in an image, because a build time would change the digest of equal content.
func epoch() time.Time { return time.Unix(0, 0).UTC() }

const (
	users  = "root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n"
	groups = "root:x:0:\nnonroot:x:65532:\n"
)

// layerWriter collects the files of one layer, all owned by root and stamped with the epoch.
type layerWriter struct {
	buffer bytes.Buffer
	tar    *tar.Writer
}

func newLayerWriter() *layerWriter {
	w := &layerWriter{}
	w.tar = tar.NewWriter(&w.buffer)
	return w
}

func (w *layerWriter) folder(name string, mode int64) error {
	return w.header(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: mode})
}

func (w *layerWriter) file(name string, mode, size int64, content io.Reader) error {
	if err := w.header(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: size}); err != nil {
		return err
	}
	if _, err := io.Copy(w.tar, content); err != nil {
		return fmt.Errorf("pack %s: %w", name, err)
	}
	return nil
}

func (w *layerWriter) header(h *tar.Header) error {
	h.ModTime, h.Format = epoch(), tar.FormatPAX
	if err := w.tar.WriteHeader(h); err != nil {
		return fmt.Errorf("pack %s: %w", h.Name, err)
	}
	return nil
}

// copyFile adds one file of the host.
func (w *layerWriter) copyFile(from, to string, mode int64) error {
	file, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	return w.file(to, mode, info.Size(), file)
}

// copyFolder adds a folder of the host in lexical order, readable by everybody; programs and links stay what they are.
func (w *layerWriter) copyFolder(from, to string) error {
	return filepath.WalkDir(from, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("pack: %w", err)
		}
		relative, err := filepath.Rel(from, name)
		if err != nil {
			return fmt.Errorf("pack: %w", err)
		}
		return w.entry(name, path.Join(to, filepath.ToSlash(relative)), entry)
	})
}

func (w *layerWriter) entry(name, target string, entry fs.DirEntry) error {
	switch {
	case target == ".": // the root of the image
		return nil
	case entry.IsDir():
		return w.folder(target, 0o755)
	case entry.Type() == fs.ModeSymlink:
		link, err := os.Readlink(name)
		if err != nil {
			return fmt.Errorf("pack: %w", err)
		}
		return w.header(&tar.Header{Typeflag: tar.TypeSymlink, Name: target, Linkname: link, Mode: 0o777})
	}
	info, err := entry.Info()
	if err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	return w.copyFile(name, target, modeOf(info))
}

// modeOf is the mode that a file of the host gets in an image.
func modeOf(info fs.FileInfo) int64 {
	if info.Mode()&0o111 != 0 {
		return 0o755
	}
	return 0o644
}

// layer closes the archive and makes it a layer.
func (w *layerWriter) layer() (v1.Layer, error) {
	if err := w.tar.Close(); err != nil {
		return nil, fmt.Errorf("close layer: %w", err)
	}
	content := w.buffer.Bytes()
	opener := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
	layer, err := tarball.LayerFromOpener(opener, tarball.WithCompressionLevel(gzip.BestSpeed))
	if err != nil {
		return nil, fmt.Errorf("make layer: %w", err)
	}
	return layer, nil
}

// baseLayer is what a static program needs to run as a user with a name.
func baseLayer() (v1.Layer, error) {
	w := newLayerWriter()
	for _, step := range []func() error{
		func() error { return w.folder("bin", 0o755) },
		func() error { return w.folder("etc", 0o755) },
		func() error { return w.file("etc/group", 0o644, int64(len(groups)), bytes.NewBufferString(groups)) },
		func() error { return w.file("etc/passwd", 0o644, int64(len(users)), bytes.NewBufferString(users)) },
		func() error { return w.folder("tmp", 0o1777) },
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return w.layer()
}
