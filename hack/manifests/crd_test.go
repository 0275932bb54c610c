package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

func TestShortenDropsDescriptionsOfKubernetesTypesOnly(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "types.go"), []byte(read(t, "testdata/types.go.txt")), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := shorten([]byte(read(t, "testdata/crd.yaml")), func(string) (apiTypes, error) { return parseTypes(folder) })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(read(t, "testdata/crd.golden.yaml"), string(got)); diff != "" {
		t.Errorf("CRD (-want +got):\n%s", diff)
	}
}

func TestShortenNamesTheMissingType(t *testing.T) {
	_, err := shorten([]byte(read(t, "testdata/crd.yaml")), func(string) (apiTypes, error) { return apiTypes{}, nil })
	if err == nil || err.Error() != "no Go type Show in version v1" {
		t.Errorf("error is %v", err)
	}
}

// The files in the repository are what "make generate" makes of them: nobody edited a copy.
func TestRepositoryIsGenerated(t *testing.T) {
	source := repository("../..")
	target := repository(t.TempDir())
	for _, folder := range []string{"api", "config", "charts"} {
		if err := os.CopyFS(target.path(folder), os.DirFS(source.path(folder))); err != nil {
			t.Fatal(err)
		}
	}
	if err := generate(target); err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"config/crd/*.yaml", "config/crd/bases/*.yaml", "charts/streamplane/templates/*.yaml"} {
		files, err := filepath.Glob(target.path(pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			name, err := filepath.Rel(string(target), file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(read(t, source.path(name)), read(t, file)); diff != "" {
				t.Errorf("%s: run make generate (-repository +generated):\n%s", name, diff)
			}
		}
	}
}

func TestCRDsStaySmall(t *testing.T) {
	files, err := repository("../..").crdFiles()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		stored, err := yaml.YAMLToJSON([]byte(read(t, file)))
		if err != nil {
			t.Fatal(err)
		}
		if size := len(stored); size > maxCRDSize {
			t.Errorf("%s has %d bytes of JSON, more than %d", file, size, maxCRDSize)
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
