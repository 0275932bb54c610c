// Package release knows which images make up a release of the bundled services.
package release

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// Catalog lists the releases that this operator can run, the newest first.
type Catalog struct {
	Releases []Release `json:"releases"`
}

// Release is one tested set of images.
type Release struct {
	// Name of the release, such as 1.4.0.
	Name string `json:"name"`
	// Images by component: the name of a bundled service, or sample-media.
	Images map[string]string `json:"images"`
}

// Load reads a catalog from a YAML file. An unknown field, or a catalog
// without a release, is an error.
func Load(path string) (Catalog, error) {
	data, err := os.ReadFile(path) //nolint:gosec // the path is the operator's own flag
	if err != nil {
		return Catalog{}, fmt.Errorf("read releases: %w", err)
	}
	c, err := Parse(data)
	if err != nil {
		return Catalog{}, fmt.Errorf("parse releases in %s: %w", path, err)
	}
	return c, nil
}

// Parse reads a catalog from YAML. An unknown field, or a catalog without a
// release, is an error.
func Parse(data []byte) (Catalog, error) {
	var c Catalog
	if err := yaml.UnmarshalStrict(data, &c); err != nil {
		return Catalog{}, err
	}
	return c, c.validate()
}

func (c Catalog) validate() error {
	if len(c.Releases) == 0 {
		return errors.New("no release is listed")
	}
	seen := map[string]bool{}
	for i, r := range c.Releases {
		switch {
		case r.Name == "":
			return fmt.Errorf("releases[%d].name: required", i)
		case seen[r.Name]:
			return fmt.Errorf("releases[%d].name: %q is listed twice", i, r.Name)
		case len(r.Images) == 0:
			return fmt.Errorf("releases[%d].images: required", i)
		}
		seen[r.Name] = true
		for _, component := range slices.Sorted(maps.Keys(r.Images)) {
			if r.Images[component] == "" {
				return fmt.Errorf("releases[%d].images[%s]: required", i, component)
			}
		}
	}
	return nil
}

// Newest is the release that a new platform gets.
func (c Catalog) Newest() string { return c.Releases[0].Name }

// Find returns the release of the given name.
func (c Catalog) Find(name string) (Release, bool) {
	for _, r := range c.Releases {
		if r.Name == name {
			return r, true
		}
	}
	return Release{}, false
}

// Names lists the releases, for people.
func (c Catalog) Names() string {
	var names []string
	for _, r := range c.Releases {
		names = append(names, r.Name)
	}
	return strings.Join(names, ", ")
}
