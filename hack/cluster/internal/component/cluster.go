// Package component says which processes make up a cluster and how each of
// them is configured.
package component

import (
	"bytes"
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"text/template"

	"github.com/streamplane/streamplane/hack/cluster/internal/layout"
)

//go:embed config
var configs embed.FS

// Cluster is what the components are configured for.
type Cluster struct {
	// Paths are the folders as the processes see them.
	Paths layout.Paths
	// Plan is the address plan.
	Plan layout.Plan
	// Bin is the folder of the programs.
	Bin string
	// Runc is the low-level container runtime.
	Runc string
}

// Context is the name of the kubeconfig context.
func Context(name string) string { return "streamplane-" + name }

// APIServer is the URL of the API server.
func APIServer(plan layout.Plan) string { return fmt.Sprintf("https://%s:6443", plan.ControlPlane()) }

func (c Cluster) tool(name string) string { return filepath.Join(c.Bin, name) }

func (c Cluster) key(file string) string { return filepath.Join(c.Paths.Keys(), file) }

func (c Cluster) kubeconfig(user string) string {
	return filepath.Join(c.Paths.Keys(), user+".kubeconfig")
}

// render writes one of the embedded files, filled in.
func render(name, target string, data any) error {
	tmpl, err := template.New(name).Option("missingkey=error").ParseFS(configs, "config/"+name)
	if err != nil {
		return fmt.Errorf("parse %s: %w", name, err)
	}
	var out bytes.Buffer
	if err := tmpl.Execute(&out, data); err != nil {
		return fmt.Errorf("fill in %s: %w", name, err)
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return fmt.Errorf("make folder of %s: %w", name, err)
	}
	if err := os.WriteFile(target, out.Bytes(), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
