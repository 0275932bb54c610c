package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// systemNamespace is the namespace that the files in config/ carry; in the chart it is the release's.
const systemNamespace = "streamplane-system"

const labelsInclude = `labels: {{- include "streamplane.labels" . | nindent 4 }}`

// rbacFiles are the files of config/rbac that the chart takes over, in the order of the template.
func rbacFiles() []string {
	return []string{"role.yaml", "role_binding.yaml"}
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

// chartRBAC makes one template of the roles and bindings.
func chartRBAC(r repository) error {
	var text strings.Builder
	text.WriteString(generatedFrom("config/rbac"))
	for _, name := range rbacFiles() {
		content, err := os.ReadFile(r.path("config", "rbac", name))
		if err != nil {
			return fmt.Errorf("copy RBAC: %w", err)
		}
		for document := range strings.SplitSeq("\n"+string(content), "\n---\n") {
			if strings.TrimSpace(document) == "" {
				continue
			}
			if strings.Count("\n"+document, "\nmetadata:\n") != 1 {
				return fmt.Errorf("copy RBAC: %s has a document without metadata", name)
			}
			text.WriteString("---" + rbacTemplate(document))
		}
	}
	return replace(r.template("rbac.yaml"), []byte(text.String()))
}

// rbacTemplate gives a document the labels of the chart and the namespace of the release.
func rbacTemplate(document string) string {
	body := escape("\n" + strings.TrimSpace(document) + "\n")
	body = strings.Replace(body, "\nmetadata:\n", "\nmetadata:\n  "+labelsInclude+"\n", 1)
	return strings.ReplaceAll(body, "namespace: "+systemNamespace+"\n", "namespace: {{ .Release.Namespace }}\n")
}

func generatedFrom(source string) string {
	return "{{- /* Generated from " + source + " by \"make generate\": edit there. */}}\n"
}

// escape keeps Helm from reading braces in descriptions and rules as template code.
func escape(text string) string {
	return strings.ReplaceAll(text, "{{", `{{ "{{" }}`)
}
