// Package spec keeps what a cluster should be in a file of its folder.
package spec

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
)

// Spec is what a cluster should be.
type Spec struct {
	// Slot picks the address range; the keys hold these addresses.
	Slot int `json:"slot"`
	// Nodes is the number of nodes.
	Nodes int `json:"nodes"`
	// Tools is the folder of the programs that the cluster runs.
	Tools string `json:"tools"`
	// Published are the Services that listen on the machine.
	Published []Publication `json:"published,omitempty"`
	// Images are the archives that were loaded, for nodes that join later.
	Images []string `json:"images,omitempty"`
}

// Publication is one Service that listens on the machine.
type Publication struct {
	// Namespace of the Service.
	Namespace string `json:"namespace"`
	// Service is its name.
	Service string `json:"service"`
	// Port is the name or the number of its port.
	Port string `json:"port"`
	// Listen is the address on the machine.
	Listen string `json:"listen"`
}

// Load reads the file.
func Load(path string) (Spec, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return Spec{}, fmt.Errorf("read the cluster's description: %w", err)
	}
	var s Spec
	if err := json.Unmarshal(content, &s); err != nil {
		return Spec{}, fmt.Errorf("read the cluster's description: %w", err)
	}
	return s, nil
}

// Save replaces the file.
func (s Spec) Save(path string) error {
	content, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("describe the cluster: %w", err)
	}
	if err := os.WriteFile(path+".new", append(content, '\n'), 0o600); err != nil {
		return fmt.Errorf("write the cluster's description: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("write the cluster's description: %w", err)
	}
	return nil
}

// Publish adds a publication; one that listens at the same address gives way.
func (s *Spec) Publish(p Publication) {
	s.Published = slices.DeleteFunc(s.Published, func(old Publication) bool { return old.Listen == p.Listen })
	s.Published = append(s.Published, p)
}

// AddImage remembers an archive.
func (s *Spec) AddImage(path string) {
	if !slices.Contains(s.Images, path) {
		s.Images = append(s.Images, path)
	}
}
