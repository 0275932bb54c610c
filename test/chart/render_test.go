package chart

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

const root = "../.."

// objects are the decoded documents of one rendering.
type objects []runtime.Object

// tool finds a program that the local cluster builds.
func tool(t *testing.T, name string) string {
	t.Helper()
	readSources(t)
	if folder := os.Getenv("STREAMPLANE_TOOLS"); folder != "" {
		return filepath.Join(folder, name) // make has built it: a missing one is a failure
	}
	file := filepath.Join(root, ".cache", "tools", "bin", name)
	if _, err := os.Stat(file); err != nil {
		t.Skipf("%s is not built: run \"make chart\"", name)
	}
	return file
}

// readSources tells the go command what the programs are going to read: it remembers the result of a
// test until a file that the test itself has opened changes.
func readSources(t *testing.T) {
	t.Helper()
	for _, folder := range []string{"charts", "config"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			_, err = os.ReadFile(name)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// template renders the chart with extra values, and returns the documents and what Helm complained of.
func template(t *testing.T, values string) (rendered []byte, message string, err error) {
	t.Helper()
	return templateIn(t, "streamplane-system", values)
}

func templateIn(t *testing.T, namespace, values string) (rendered []byte, message string, err error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(file, []byte(values), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), tool(t, "helm"), "template", "streamplane",
		filepath.Join(root, "charts", "streamplane"), "--namespace="+namespace, "--values="+file)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	rendered, err = cmd.Output()
	return rendered, stderr.String(), err
}

func helm(t *testing.T, values string) objects {
	t.Helper()
	return helmIn(t, "streamplane-system", values)
}

func helmIn(t *testing.T, namespace, values string) objects {
	t.Helper()
	rendered, message, err := templateIn(t, namespace, values)
	if err != nil {
		t.Fatalf("helm template: %v\n%s", err, message)
	}
	return decode(t, rendered)
}

func kustomize(t *testing.T) objects {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), tool(t, "kubectl"), "kustomize", filepath.Join(root, "config", "default"))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	rendered, err := cmd.Output()
	if err != nil {
		t.Fatalf("kubectl kustomize: %v\n%s", err, stderr.String())
	}
	return decode(t, rendered)
}

// decode fails on unknown kinds, unknown fields and duplicate keys.
func decode(t *testing.T, rendered []byte) objects {
	t.Helper()
	known := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{scheme.AddToScheme, apiextensionsv1.AddToScheme} {
		if err := add(known); err != nil {
			t.Fatal(err)
		}
	}
	strict := serializer.NewCodecFactory(known, serializer.EnableStrict).UniversalDeserializer()
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(rendered)))
	var all objects
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		object, _, err := strict.Decode(document, nil, nil)
		if runtime.IsNotRegisteredError(err) && strings.Contains(string(document), "\napiVersion: monitoring.coreos.com/v1\n") {
			other := &unstructured.Unstructured{}
			object, err = other, yaml.UnmarshalStrict(document, other)
		}
		if err != nil {
			t.Fatalf("decode: %v\n%s", err, document)
		}
		all = append(all, object)
	}
}

// ofType selects the objects of one Go type.
func ofType[T runtime.Object](all objects) []T {
	var found []T
	for _, object := range all {
		if typed, ok := object.(T); ok {
			found = append(found, typed)
		}
	}
	return found
}

// one is the object of that type whose name begins with name.
func one[T interface {
	runtime.Object
	metav1.Object
}](t *testing.T, all objects, name string) T {
	t.Helper()
	var found []T
	for _, object := range ofType[T](all) {
		if strings.HasPrefix(object.GetName(), name) {
			found = append(found, object)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d objects %T named %s, want 1", len(found), *new(T), name)
	}
	return found[0]
}

type releaseFile struct {
	Releases []struct {
		Name   string            `json:"name"`
		Images map[string]string `json:"images"`
	} `json:"releases"`
}

// releases reads the file that the operator gets.
func releases(t *testing.T, all objects) releaseFile {
	t.Helper()
	var file releaseFile
	content := one[*corev1.ConfigMap](t, all, "streamplane-releases").Data["releases.yaml"]
	if err := yaml.UnmarshalStrict([]byte(content), &file); err != nil {
		t.Fatal(err)
	}
	return file
}
