package machine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// changedByKubelet lists the settings of the whole machine that kubelet changes.
func changedByKubelet() []string {
	return []string{
		"vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops",
		"kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes",
	}
}

// Settings keeps the settings of the machine as they were before the first
// cluster.
type Settings struct {
	// File holds them while any cluster runs.
	File string
	// Root is the folder of the settings, /proc/sys.
	Root string
}

// Save remembers the settings, unless an earlier cluster did.
func (s Settings) Save() error {
	if _, err := os.Stat(s.File); err == nil {
		return nil
	}
	values := map[string]string{}
	for _, name := range changedByKubelet() {
		if value, err := os.ReadFile(filepath.Join(s.Root, name)); err == nil {
			values[name] = string(value)
		}
	}
	content, err := json.Marshal(values)
	if err != nil {
		return fmt.Errorf("keep the machine's settings: %w", err)
	}
	if err := os.WriteFile(s.File+".new", content, 0o600); err != nil {
		return fmt.Errorf("keep the machine's settings: %w", err)
	}
	if err := os.Rename(s.File+".new", s.File); err != nil {
		return fmt.Errorf("keep the machine's settings: %w", err)
	}
	return nil
}

// Restore brings the settings back after the last cluster.
func (s Settings) Restore() error {
	content, err := os.ReadFile(s.File)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the machine's settings: %w", err)
	}
	values := map[string]string{}
	if err := json.Unmarshal(content, &values); err != nil {
		return fmt.Errorf("read the machine's settings: %w", err)
	}
	for name, value := range values {
		if err := os.WriteFile(filepath.Join(s.Root, name), []byte(value), 0); err != nil {
			return fmt.Errorf("restore %s: %w", name, err)
		}
	}
	if err := os.Remove(s.File); err != nil {
		return fmt.Errorf("forget the machine's settings: %w", err)
	}
	return nil
}
