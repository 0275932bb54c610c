package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/streamplane/streamplane/api/v1alpha1"
)

// maxManifest bounds one document; the API server takes no more either.
const maxManifest = 3 << 20

// manifest is what a user wrote: platforms and services of teams.
type manifest struct {
	platforms     []*v1alpha1.StreamingPlatform
	microservices []*v1alpha1.Microservice
}

// readManifest reads files, or standard input for "-". Objects of other kinds
// are left out: they are applied as they are.
func readManifest(files []string, stdin io.Reader, namespace string) (manifest, error) {
	var m manifest
	for _, file := range files {
		if err := m.readFile(file, stdin, namespace); err != nil {
			return m, fmt.Errorf("%s: %w", file, err)
		}
	}
	if len(m.platforms)+len(m.microservices) == 0 {
		return m, fmt.Errorf("no StreamingPlatform and no Microservice in %q", files)
	}
	return m, nil
}

func (m *manifest) readFile(file string, stdin io.Reader, namespace string) error {
	if file != "-" {
		opened, err := os.Open(file) //nolint:gosec // the user names the file
		if err != nil {
			return err
		}
		defer opened.Close()
		stdin = opened
	}
	documents := utilyaml.NewYAMLReader(bufio.NewReader(io.LimitReader(stdin, maxManifest)))
	for number := 1; ; number++ {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
		if err := m.add(document, namespace); err != nil {
			return fmt.Errorf("document %d: %w", number, err)
		}
	}
}

// add decodes strictly: a misspelt field is an error, as it is for the API server.
func (m *manifest) add(document []byte, namespace string) error {
	var kind metav1.TypeMeta
	if err := yaml.Unmarshal(document, &kind); err != nil {
		return err
	}
	if kind.APIVersion != v1alpha1.GroupVersion.String() {
		return nil
	}
	var object client.Object
	switch kind.Kind {
	case "StreamingPlatform":
		p := &v1alpha1.StreamingPlatform{}
		m.platforms, object = append(m.platforms, p), p
	case "Microservice":
		ms := &v1alpha1.Microservice{}
		m.microservices, object = append(m.microservices, ms), ms
	default:
		return fmt.Errorf("there is no kind %q in %s", kind.Kind, kind.APIVersion)
	}
	if err := yaml.UnmarshalStrict(document, object); err != nil {
		return err
	}
	if object.GetName() == "" {
		return errors.New("metadata.name: required")
	}
	if object.GetNamespace() == "" {
		object.SetNamespace(namespace)
	}
	return nil
}
