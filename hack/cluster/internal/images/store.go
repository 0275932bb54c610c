package images

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Store is the image store of one node.
type Store struct {
	// Ctr is containerd's client program.
	Ctr string
	// Socket is where the node's containerd listens.
	Socket string
	// Record is a file that remembers what was loaded.
	Record string
}

// record maps the checksum of an archive to the images it brought.
type record map[string][]string

// Load imports an archive, and reports false when the node has its images already.
func (s Store) Load(ctx context.Context, archive string) (bool, error) {
	sum, err := checksum(archive)
	if err != nil {
		return false, err
	}
	loaded, err := s.read()
	if err != nil {
		return false, err
	}
	present, err := s.list(ctx)
	if err != nil {
		return false, err
	}
	if names, found := loaded[sum]; found && containsAll(present, names) {
		return false, nil
	}
	names, err := references(archive)
	if err != nil {
		return false, err
	}
	if _, err := s.ctr(ctx, "import", archive); err != nil {
		return false, err
	}
	// An archive whose image has moved on must be imported again.
	for other, theirs := range loaded {
		if slices.ContainsFunc(theirs, func(n string) bool { return slices.Contains(names, n) }) {
			delete(loaded, other)
		}
	}
	loaded[sum] = names
	return true, s.write(loaded)
}

func (s Store) list(ctx context.Context) ([]string, error) {
	out, err := s.ctr(ctx, "list", "--quiet")
	return strings.Fields(out), err
}

func (s Store) ctr(ctx context.Context, args ...string) (string, error) {
	args = append([]string{"--address", s.Socket, "--namespace", "k8s.io", "images"}, args...)
	cmd := exec.CommandContext(ctx, s.Ctr, args...)
	var problem strings.Builder
	cmd.Stderr = &problem
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("ctr images %s: %w: %s", args[5], err, strings.TrimSpace(problem.String()))
	}
	return string(out), nil
}

func (s Store) read() (record, error) {
	content, err := os.ReadFile(s.Record)
	if errors.Is(err, fs.ErrNotExist) {
		return record{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the image record: %w", err)
	}
	loaded := record{}
	if err := json.Unmarshal(content, &loaded); err != nil {
		return nil, fmt.Errorf("read the image record: %w", err)
	}
	return loaded, nil
}

func (s Store) write(loaded record) error {
	content, err := json.Marshal(loaded)
	if err != nil {
		return fmt.Errorf("write the image record: %w", err)
	}
	if err := os.WriteFile(s.Record+".new", content, 0o600); err != nil {
		return fmt.Errorf("write the image record: %w", err)
	}
	if err := os.Rename(s.Record+".new", s.Record); err != nil {
		return fmt.Errorf("write the image record: %w", err)
	}
	return nil
}

func checksum(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("open image archive: %w", err)
	}
	defer func() { _ = file.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", fmt.Errorf("read image archive: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// containsAll compares names as containerd writes them: with a registry.
func containsAll(have, want []string) bool {
	return !slices.ContainsFunc(want, func(w string) bool {
		return !slices.Contains(have, w) && !slices.Contains(have, "docker.io/"+w) && !slices.Contains(have, "docker.io/library/"+w)
	})
}
