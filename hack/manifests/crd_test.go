package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const exampleTypes = `package v1

import corev1 "k8s.io/api/core/v1"
import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

type Show struct {
	metav1.TypeMeta ` + "`json:\",inline\"`" + `
	Spec ShowSpec ` + "`json:\"spec\"`" + `
}

type ShowSpec struct {
	Shared ` + "`json:\",inline\"`" + `
	Parts map[string]*Part ` + "`json:\"parts\"`" + `
	Conditions []metav1.Condition ` + "`json:\"conditions\"`" + `
}

type Shared struct {
	Probe *corev1.Probe ` + "`json:\"probe\"`" + `
}

type Parts []Part

type Part struct {
	Volumes []corev1.Volume ` + "`json:\"volumes\"`" + `
	Description string ` + "`json:\"description\"`" + `
}
`

const exampleCRD = `---
spec:
  names:
    kind: Show
  versions:
  - name: v1
    schema:
      openAPIV3Schema:
        description: Show is ours.
        properties:
          spec:
            description: spec is ours.
            properties:
              conditions:
                description: conditions are ours.
                items:
                  description: Condition is metav1 and stays.
                  type: object
              parts:
                additionalProperties:
                  description: Part is ours.
                  properties:
                    description:
                      description: a field of that name is ours.
                      type: string
                    volumes:
                      description: volumes are ours.
                      items:
                        description: gone
                        properties:
                          description:
                            description: gone, the field stays
                            type: string
                          sizes:
                            additionalProperties:
                              description: gone
                              type: string
                            description: gone
                            type: object
                        type: object
                      type: array
                  type: object
                type: object
              probe:
                description: probe is ours.
                properties:
                  port:
                    description: gone
                    type: integer
                type: object
            type: object
        type: object
`

const shortCRD = `---
spec:
  names:
    kind: Show
  versions:
  - name: v1
    schema:
      openAPIV3Schema:
        description: Show is ours.
        properties:
          spec:
            description: spec is ours.
            properties:
              conditions:
                description: conditions are ours.
                items:
                  description: Condition is metav1 and stays.
                  type: object
              parts:
                additionalProperties:
                  description: Part is ours.
                  properties:
                    description:
                      description: a field of that name is ours.
                      type: string
                    volumes:
                      description: volumes are ours.
                      items:
                        properties:
                          description:
                            type: string
                          sizes:
                            additionalProperties:
                              type: string
                            type: object
                        type: object
                      type: array
                  type: object
                type: object
              probe:
                description: probe is ours.
                properties:
                  port:
                    type: integer
                type: object
            type: object
        type: object
`

func TestShortenDropsDescriptionsOfKubernetesTypesOnly(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "types.go"), []byte(exampleTypes), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := shorten([]byte(exampleCRD), func(string) (apiTypes, error) { return parseTypes(folder) })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(shortCRD, string(got)); diff != "" {
		t.Errorf("CRD (-want +got):\n%s", diff)
	}
}

func TestShortenNamesTheMissingType(t *testing.T) {
	_, err := shorten([]byte(exampleCRD), func(string) (apiTypes, error) { return apiTypes{}, nil })
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
		if size := len(read(t, file)); size > maxCRDSize {
			t.Errorf("%s has %d bytes, more than %d", file, size, maxCRDSize)
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
