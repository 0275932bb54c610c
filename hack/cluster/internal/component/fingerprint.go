package component

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Fingerprint identifies the programs in a folder and how this version of ours
// runs them. It is the same for every number of nodes.
func (c Cluster) Fingerprint(programs string) (string, error) {
	sum := sha256.New()
	for _, unit := range append(c.ControlPlane(Probes{}.none()), c.Node(1, Probes{}.none())...) {
		_, _ = fmt.Fprintf(sum, "%s %q %q\n", unit.Name, unit.After, unit.Argv)
	}
	err := fs.WalkDir(configs, "config", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := configs.ReadFile(path)
		_, _ = fmt.Fprintf(sum, "%s %d\n%s", path, len(content), content)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("read the settings: %w", err)
	}
	entries, err := os.ReadDir(programs)
	if err != nil {
		return "", fmt.Errorf("read the programs: %w", err)
	}
	for _, entry := range entries {
		// The name behind the link holds the key of the build.
		target, _ := os.Readlink(filepath.Join(programs, entry.Name()))
		_, _ = fmt.Fprintf(sum, "%s %s\n", entry.Name(), filepath.Base(target))
	}
	return hex.EncodeToString(sum.Sum(nil))[:16], nil
}

// none fills the probes that describing the units needs.
func (p Probes) none() Probes {
	p.HTTP = func(string) func(context.Context) error { return nil }
	p.Socket = p.HTTP
	return p
}
