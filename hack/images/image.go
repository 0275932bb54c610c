package main

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// user is the number that every container of ours runs as, set here as well as in the pods.
const user = "65532:65532"

// assemble packs a component: base, compiled program if there is one, then one layer per folder.
func (b *builder) assemble(c component, program, version string) (v1.Image, error) {
	layers, err := b.layers(c, program)
	if err != nil {
		return nil, err
	}
	created := v1.Time{Time: epoch()}
	img, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{
		Architecture: runtime.GOARCH,
		OS:           "linux",
		Created:      created,
		Config: v1.Config{
			User:       user,
			WorkingDir: "/",
			Entrypoint: c.entrypoint(),
			Env:        []string{"PATH=/bin"},
			Labels:     labels(c, version),
		},
	})
	if err != nil {
		return nil, fmt.Errorf("configure image: %w", err)
	}
	for _, layer := range layers {
		img, err = mutate.Append(img, mutate.Addendum{Layer: layer, History: v1.History{Created: created, CreatedBy: "streamplane images"}})
		if err != nil {
			return nil, fmt.Errorf("append layer: %w", err)
		}
	}
	return img, nil
}

func (b *builder) layers(c component, program string) ([]v1.Layer, error) {
	base, err := baseLayer()
	if err != nil {
		return nil, err
	}
	layers := []v1.Layer{base}
	if program != "" {
		w := newLayerWriter()
		if err := w.copyFile(program, strings.TrimPrefix(c.program(), "/"), 0o755); err != nil {
			return nil, err
		}
		binary, err := w.layer()
		if err != nil {
			return nil, err
		}
		layers = append(layers, binary)
	}
	for _, f := range c.folders {
		w := newLayerWriter()
		if err := w.copyFolder(b.path(f), strings.TrimPrefix(f.to, "/")); err != nil {
			return nil, err
		}
		layer, err := w.layer()
		if err != nil {
			return nil, err
		}
		layers = append(layers, layer)
	}
	return layers, nil
}

func labels(c component, version string) map[string]string {
	return map[string]string{
		"org.opencontainers.image.title":       "streamplane-" + c.name,
		"org.opencontainers.image.description": c.description,
		"org.opencontainers.image.version":     version,
		"org.opencontainers.image.licenses":    "Apache-2.0",
		"org.opencontainers.image.source":      "https://github.com/streamplane/streamplane",
	}
}

// tagOf names an image after its content; the config lists the digest of every layer.
func tagOf(img v1.Image) (string, error) {
	digest, err := img.ConfigName()
	if err != nil {
		return "", fmt.Errorf("digest image: %w", err)
	}
	return "sha-" + digest.Hex[:12], nil
}
