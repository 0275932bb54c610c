package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// repository is the folder that holds everything.
type repository string

func (r repository) path(elements ...string) string {
	return filepath.Join(append([]string{string(r)}, elements...)...)
}

func (r repository) api(version string) string { return r.path("api", version) }

func (r repository) template(name string) string {
	return r.path("charts", "streamplane", "templates", name)
}

// crdFiles lists the generated CRDs in order.
func (r repository) crdFiles() ([]string, error) {
	files, err := filepath.Glob(r.path("config", "crd", "bases", "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("list CRDs: %w", err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no CRD in %s", r.path("config", "crd", "bases"))
	}
	return files, nil
}

// replace writes a file unless it has that content, so that build tools see only real changes.
func replace(file string, content []byte) error {
	if old, err := os.ReadFile(file); err == nil && bytes.Equal(old, content) {
		return nil
	}
	if err := os.WriteFile(file, content, 0o644); err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	return nil
}
