// Package images puts container images onto nodes without a registry.
package images

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"time"
)

// PauseReference is the image that holds the namespaces of a pod.
const PauseReference = "streamplane.dev/pause:local"

type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// archive is an OCI image layout in the making.
type archive struct {
	out   bytes.Buffer
	files *tar.Writer
}

// WritePause packs the program into an image of one layer. The same program
// gives the same bytes.
func WritePause(program, target string) error {
	binary, err := os.ReadFile(program)
	if err != nil {
		return fmt.Errorf("read the pause program: %w", err)
	}
	plain, packed, err := layer(binary)
	if err != nil {
		return err
	}
	a := &archive{}
	a.files = tar.NewWriter(&a.out)
	if err := a.image(plain, packed); err != nil {
		return fmt.Errorf("pack the pause image: %w", err)
	}
	if err := os.WriteFile(target+".new", a.out.Bytes(), 0o600); err != nil {
		return fmt.Errorf("write the pause image: %w", err)
	}
	if err := os.Rename(target+".new", target); err != nil {
		return fmt.Errorf("write the pause image: %w", err)
	}
	return nil
}

func (a *archive) image(plain, packed []byte) error {
	layerAt, err := a.blob("application/vnd.oci.image.layer.v1.tar+gzip", packed)
	if err != nil {
		return err
	}
	configAt, err := a.document("application/vnd.oci.image.config.v1+json", map[string]any{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": map[string]any{"Entrypoint": []string{"/pause"}, "User": "65535:65535"},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{digest(plain)}},
	})
	if err != nil {
		return err
	}
	manifestAt, err := a.document("application/vnd.oci.image.manifest.v1+json", map[string]any{
		"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
		"config": configAt, "layers": []descriptor{layerAt},
	})
	if err != nil {
		return err
	}
	manifestAt.Annotations = map[string]string{
		"io.containerd.image.name": PauseReference, "org.opencontainers.image.ref.name": "local",
	}
	index, err := json.Marshal(map[string]any{"schemaVersion": 2, "manifests": []descriptor{manifestAt}})
	if err != nil {
		return err
	}
	if err := a.file("index.json", index); err != nil {
		return err
	}
	if err := a.file("oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`)); err != nil {
		return err
	}
	return a.files.Close()
}

func (a *archive) document(mediaType string, content any) (descriptor, error) {
	encoded, err := json.Marshal(content)
	if err != nil {
		return descriptor{}, err
	}
	return a.blob(mediaType, encoded)
}

func (a *archive) blob(mediaType string, content []byte) (descriptor, error) {
	sum := digest(content)
	return descriptor{MediaType: mediaType, Digest: sum, Size: len(content)}, a.file("blobs/sha256/"+sum[len("sha256:"):], content)
}

func (a *archive) file(name string, content []byte) error {
	return addFile(a.files, &tar.Header{Name: name, Mode: 0o644, Size: int64(len(content)), ModTime: time.Unix(0, 0)}, content)
}

// layer is the file system of the image, plain and compressed.
func layer(binary []byte) (plain, packed []byte, err error) {
	var files bytes.Buffer
	w := tar.NewWriter(&files)
	header := &tar.Header{Name: "pause", Mode: 0o755, Size: int64(len(binary)), ModTime: time.Unix(0, 0)}
	if err := addFile(w, header, binary); err != nil {
		return nil, nil, err
	}
	if err := w.Close(); err != nil {
		return nil, nil, fmt.Errorf("pack layer: %w", err)
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write(files.Bytes()); err != nil {
		return nil, nil, fmt.Errorf("compress layer: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, nil, fmt.Errorf("compress layer: %w", err)
	}
	return files.Bytes(), zipped.Bytes(), nil
}

func addFile(w *tar.Writer, header *tar.Header, content []byte) error {
	if err := w.WriteHeader(header); err != nil {
		return fmt.Errorf("pack %s: %w", header.Name, err)
	}
	if _, err := w.Write(content); err != nil {
		return fmt.Errorf("pack %s: %w", header.Name, err)
	}
	return nil
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}
