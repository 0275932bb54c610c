// Package services_test checks the services together: what they may import, and that real processes play real video.
package services_test

import (
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/streamplane/streamplane/"

// TestBoundaries keeps the services independent of each other, of the operator and of Kubernetes.
func TestBoundaries(t *testing.T) {
	list := exec.CommandContext(t.Context(), "go", "list", "-test", "-deps", "-f", "{{.ImportPath}}", "./...")
	imported, err := list.CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, imported)
	}
	for path := range strings.FieldsSeq(string(imported)) {
		for _, foreign := range []string{"k8s.io/", "sigs.k8s.io/", module + "api", module + "controllers", module + "cmd"} {
			if strings.HasPrefix(path, foreign) {
				t.Errorf("the services import %s", path)
			}
		}
	}
	direct := exec.CommandContext(t.Context(), "go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "./...")
	lines, err := direct.CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, lines)
	}
	for line := range strings.Lines(string(lines)) {
		packages := strings.Fields(line)
		for _, path := range packages[1:] {
			if strings.HasPrefix(path, module+"services/") && !strings.HasPrefix(path, module+"services/internal/") {
				t.Errorf("%s imports %s; what services share belongs in services/internal", packages[0], path)
			}
		}
	}
}
