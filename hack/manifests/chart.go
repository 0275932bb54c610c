package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// systemNamespace is the namespace that the files in config/ carry; in the chart it is the release's.
const systemNamespace = "streamplane-system"

const (
	labelsInclude = `labels: {{- include "streamplane.labels" . | nindent 4 }}`
	// labelsInRange works where "." is something else.
	labelsInRange = `labels: {{- include "streamplane.labels" $ | nindent 4 }}`
)

// copied is a template of the chart that repeats files of config/ when a value asks for them.
type copied struct {
	template string
	folder   string
	files    []string
	when     string
	// perNamespace makes roles of cluster roles when namespaces are named.
	perNamespace bool
}

func copies() []copied {
	return []copied{
		{template: "rbac.yaml", folder: "config/rbac", files: []string{"role.yaml", "role_binding.yaml"}, perNamespace: true},
		{template: "metrics-rbac.yaml", folder: "config/rbac", files: []string{"metrics_role.yaml"}, when: ".Values.metrics.secure"},
		{
			template: "secrets-rbac.yaml", folder: "config/rbac", files: []string{"secrets_role.yaml"}, when: ".Values.rbac.secrets",
			perNamespace: true,
		},
		{template: "policies.yaml", folder: "config/policy", files: []string{"requester.yaml", "guardrail.yaml"}, when: ".Values.admissionPolicies.enabled"},
	}
}

// chartCRDs wraps every CRD as a template of its own that helm uninstall leaves in place.
func chartCRDs(r repository) error {
	files, err := r.crdFiles()
	if err != nil {
		return err
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("copy CRD: %w", err)
		}
		_, plural, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".yaml"), "_")
		body := escape(strings.TrimPrefix(string(content), "---\n"))
		const metadata = "\nmetadata:\n  annotations:\n"
		if strings.Count(body, metadata) != 1 {
			return fmt.Errorf("copy CRD: %s has no annotations to extend", file)
		}
		body = strings.Replace(body, metadata, "\nmetadata:\n  "+labelsInclude+"\n  annotations:\n    helm.sh/resource-policy: keep\n", 1)
		text := generatedFrom("config/crd/bases/"+filepath.Base(file)) +
			"{{- if .Values.crds.install }}\n" + body + "{{- end }}\n"
		if err := replace(r.template("crd-"+plural+".yaml"), []byte(text)); err != nil {
			return err
		}
	}
	return nil
}

// chartCopies makes the templates of what is the same in the chart.
func chartCopies(r repository) error {
	for _, c := range copies() {
		text, err := c.text(r)
		if err != nil {
			return fmt.Errorf("make %s: %w", c.template, err)
		}
		if err := replace(r.template(c.template), []byte(text)); err != nil {
			return err
		}
	}
	return nil
}

func (c copied) text(r repository) (string, error) {
	var text strings.Builder
	text.WriteString(generatedFrom(c.folder))
	if c.when != "" {
		text.WriteString("{{- if " + c.when + " }}\n")
	}
	for _, name := range c.files {
		content, err := os.ReadFile(r.path(c.folder, name))
		if err != nil {
			return "", err
		}
		for document := range strings.SplitSeq("\n"+string(content), "\n---\n") {
			if !strings.Contains("\n"+document, "\nkind: ") {
				continue // a comment above the first document
			}
			if strings.Count("\n"+document, "\nmetadata:\n") != 1 {
				return "", fmt.Errorf("%s has a document without metadata", name)
			}
			text.WriteString(c.document(document))
		}
	}
	if c.when != "" {
		text.WriteString("{{- end }}\n")
	}
	return text.String(), nil
}

// document gives an object the labels of the chart and the namespace of the release.
func (c copied) document(text string) string {
	body := escape("\n" + strings.TrimSpace(text) + "\n")
	body = strings.Replace(body, "\nmetadata:\n", "\nmetadata:\n  "+labelsInRange+"\n", 1)
	body = strings.ReplaceAll(body, "namespace: "+systemNamespace+"\n", "namespace: {{ $.Release.Namespace }}\n")
	body = strings.ReplaceAll(body, "serviceaccount:"+systemNamespace+":", "serviceaccount:{{ $.Release.Namespace }}:")
	if c.perNamespace && strings.Contains(body, "\nkind: ClusterRole") {
		return "{{- range .Values.watchNamespaces | default (list \"\") }}\n---" + inNamespace(body) + "{{- end }}\n"
	}
	return "---" + body
}

// inNamespace makes one template of a cluster role and of a role in namespace ".". The name of the role differs from
// that of the operator's role for its own namespace, which may be watched too.
func inNamespace(body string) string {
	body = strings.ReplaceAll(body, "kind: ClusterRole", "kind: {{ if not . }}Cluster{{ end }}Role")
	body = strings.ReplaceAll(body, "\n  name: streamplane-operator\n", "\n  name: streamplane-{{ if . }}workloads{{ else }}operator{{ end }}\n")
	return strings.Replace(body, "\nmetadata:\n", "\nmetadata:\n  {{- with . }}\n  namespace: {{ . }}\n  {{- end }}\n", 1)
}

func generatedFrom(source string) string {
	return "{{- /* Generated from " + source + " by \"make generate\": edit there. */}}\n"
}

// escape keeps Helm from reading braces in descriptions and rules as template code.
func escape(text string) string {
	return strings.ReplaceAll(text, "{{", `{{ "{{" }}`)
}
