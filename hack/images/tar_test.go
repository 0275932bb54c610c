package main

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1"
)

// names lists the files of all layers in order.
func names(t *testing.T, img v1.Image) []string {
	t.Helper()
	all := entries(t, img)
	for i, entry := range all {
		all[i], _, _ = strings.Cut(entry, " ")
	}
	return all
}

// entries lists name, mode and target of what the layers hold, in order, and checks that nothing carries a time of its own.
func entries(t *testing.T, img v1.Image) []string {
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
			all = append(all, strings.TrimSpace(fmt.Sprintf("%s %o %s", header.Name, header.Mode, header.Linkname)))
		}
	}
	return all
}
