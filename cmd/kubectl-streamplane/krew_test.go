package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// krewManifest are the fields of a manifest that krew requires.
type krewManifest struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		Version          string `json:"version"`
		Homepage         string `json:"homepage"`
		ShortDescription string `json:"shortDescription"`
		Description      string `json:"description"`
		Platforms        []struct {
			Selector struct {
				MatchLabels struct {
					OS   string `json:"os"`
					Arch string `json:"arch"`
				} `json:"matchLabels"`
			} `json:"selector"`
			URI    string `json:"uri"`
			SHA256 string `json:"sha256"`
			Bin    string `json:"bin"`
		} `json:"platforms"`
	} `json:"spec"`
}

// The entry of the krew index names a program that this folder builds, for
// platforms that Go builds for.
func TestKrewManifest(t *testing.T) {
	data, err := os.ReadFile("../../config/krew/streamplane.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var m krewManifest
	if err := yaml.UnmarshalStrict(data, &m); err != nil {
		t.Fatal(err)
	}
	root := newCommand()
	if "kubectl-"+m.Metadata.Name != root.Name() {
		t.Errorf("krew would install %q, the program is %q", m.Metadata.Name, root.Name())
	}
	if m.APIVersion != "krew.googlecontainertools.github.com/v1alpha2" || m.Kind != "Plugin" || m.Spec.Version != "vVERSION" ||
		m.Spec.Homepage == "" || m.Spec.Description == "" || m.Spec.ShortDescription == "" || len(m.Spec.ShortDescription) > 50 {
		t.Errorf("the index would refuse it: %+v", m)
	}
	known, err := exec.CommandContext(t.Context(), "go", "tool", "dist", "list").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, p := range m.Spec.Platforms {
		system, arch := p.Selector.MatchLabels.OS, p.Selector.MatchLabels.Arch
		seen[system] = true
		if !strings.Contains(string(known), fmt.Sprintf("%s/%s\n", system, arch)) {
			t.Errorf("Go knows no %s/%s", system, arch)
		}
		bin := root.Name()
		if system == "windows" {
			bin += ".exe"
		}
		archive := fmt.Sprintf("/releases/download/vVERSION/%s-%s-%s.tar.gz", root.Name(), system, arch)
		if p.Bin != bin || p.SHA256 != "SHA256" || !strings.HasPrefix(p.URI, m.Spec.Homepage) || !strings.HasSuffix(p.URI, archive) {
			t.Errorf("%s/%s: %+v, want %s in an archive %s", system, arch, p, bin, archive)
		}
	}
	if !seen["linux"] || !seen["darwin"] || !seen["windows"] {
		t.Errorf("only %v", seen)
	}
}
