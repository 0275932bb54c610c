package main

import (
	"archive/tar"
	"errors"
	"io"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1"
)

// names lists the files of all layers in order and checks that they carry no time of their own.
func names(t *testing.T, img v1.Image) []string {
	t.Helper()
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, layer := range layers {
		content, err := layer.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		for r := tar.NewReader(content); ; {
			header, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if !header.ModTime.Equal(epoch()) || header.Uid != 0 {
				t.Errorf("%s: time %s, user %d", header.Name, header.ModTime, header.Uid)
			}
			all = append(all, header.Name)
		}
	}
	return all
}
