// Package golden compares what a test computed with files in testdata, and
// rewrites them when the test runs with -update.
package golden

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Suffix ends the name of every golden file.
const Suffix = ".golden.yaml"

// Compare fails the test when got is not the content of the file.
func Compare(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil { //nolint:gosec // golden files are public
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file) //nolint:gosec // the test names the file
	if err != nil {
		t.Fatalf("%v: run the test with -update to write it", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("differs from %s (-want +got), -update rewrites it:\n%s", file, diff)
	}
}

// Inputs are the files of a folder that are no golden files, by their names
// without extension.
func Inputs(t *testing.T, folder string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	inputs := map[string]string{}
	for _, file := range files {
		if !strings.HasSuffix(file, Suffix) {
			inputs[strings.TrimSuffix(filepath.Base(file), ".yaml")] = file
		}
	}
	if len(inputs) == 0 {
		t.Fatalf("no input in %s", folder)
	}
	return inputs
}

// Read decodes a YAML file. Unknown and repeated fields fail the test.
func Read(t *testing.T, file string, into any) {
	t.Helper()
	data, err := os.ReadFile(file) //nolint:gosec // the test names the file
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(data, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// YAML writes objects as documents, without their status.
func YAML(t *testing.T, objects ...runtime.Object) []byte {
	t.Helper()
	var out bytes.Buffer
	for _, object := range objects {
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
		if err != nil {
			t.Fatal(err)
		}
		delete(content, "status")
		document, err := yaml.Marshal(content)
		if err != nil {
			t.Fatal(err)
		}
		out.WriteString("---\n")
		out.Write(document)
	}
	return out.Bytes()
}
