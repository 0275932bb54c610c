package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamplane/streamplane/internal/golden"
)

// execute runs the plugin as a user would.
func execute(t *testing.T, stdin string, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	cmd := newCommand()
	cmd.SetArgs(args)
	cmd.SetIn(strings.NewReader(stdin))
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func TestRenderSamples(t *testing.T) {
	for name, file := range golden.Inputs(t, "../../config/samples") {
		t.Run(name, func(t *testing.T) {
			got, err := execute(t, "", "render", "-f", file, "-n", "tv")
			if err != nil {
				t.Fatal(err)
			}
			golden.Compare(t, filepath.Join("testdata", name+golden.Suffix), []byte(got))
		})
	}
}

func TestRenderFormats(t *testing.T) {
	const input = `{apiVersion: v1, kind: ConfigMap, metadata: {name: other}}
---
{apiVersion: streamplane.dev/v1alpha1, kind: Microservice, metadata: {name: finder, namespace: team},
 spec: {platformRef: {name: acme}, image: "registry.test/finder:1", replicas: 1}}`
	cases := map[string]string{
		"table": "KIND             NAMESPACE   NAME\nServiceAccount   team        finder\n",
		"json":  "[\n  {\n    \"apiVersion\": \"v1\",",
		"yaml":  "---\napiVersion: v1\nautomountServiceAccountToken: false\nkind: ServiceAccount\n",
	}
	for format, want := range cases {
		t.Run(format, func(t *testing.T) {
			got, err := execute(t, input, "render", "-f", "-", "-o", format)
			if err != nil || !strings.HasPrefix(got, want) {
				t.Errorf("%v, prints\n%s", err, got)
			}
		})
	}
}

// Whatever is wrong is said with its place, and the rest is rendered.
func TestRenderProblems(t *testing.T) {
	platform := func(spec string) string {
		return "{apiVersion: streamplane.dev/v1alpha1, kind: StreamingPlatform, metadata: {name: acme}, spec: " + spec + "}"
	}
	cases := map[string]struct {
		input   string
		args    []string
		want    string
		renders string
	}{
		"misspelt field":       {input: platform("{sizes: Small}"), want: `-: document 1: error unmarshaling JSON: while decoding JSON: json: unknown field "sizes"`},
		"no YAML":              {input: "a: b: c", want: "-: document 1:"},
		"no name":              {input: "{apiVersion: streamplane.dev/v1alpha1, kind: Microservice}", want: "metadata.name: required"},
		"unknown kind":         {input: "{apiVersion: streamplane.dev/v1alpha1, kind: Platform}", want: `there is no kind "Platform"`},
		"nothing of ours":      {input: "{apiVersion: v1, kind: Secret}", want: "no StreamingPlatform and no Microservice"},
		"unknown release":      {input: platform("{release: 9.9.9}"), want: `acme: spec.release: there is no release "9.9.9", only 0.1.0`},
		"unknown format":       {input: platform("{}"), args: []string{"-o", "xml"}, want: "want table, yaml or json"},
		"missing file":         {args: []string{"-f", "/nowhere.yaml"}, input: platform("{}"), want: "/nowhere.yaml: no such file"},
		"missing releases":     {args: []string{"--releases", "/nowhere.yaml"}, input: platform("{}"), want: "read releases"},
		"one invalid service":  {input: platform("{services: [{name: search}]}"), want: "acme: spec.services[search].image: required", renders: "name: acme-gateway-blue"},
		"invalid microservice": {input: "{apiVersion: streamplane.dev/v1alpha1, kind: Microservice, metadata: {name: a}, spec: {platformRef: {name: b}}}", want: "a: spec.image: required"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := execute(t, tc.input, append([]string{"render", "-f", "-"}, tc.args...)...)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
			if !strings.Contains(got, tc.renders) || tc.renders == "" && got != "" {
				t.Errorf("renders %s", got)
			}
		})
	}
}
