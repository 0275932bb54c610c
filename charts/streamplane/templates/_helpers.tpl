{{/* The operator is one per cluster, so its objects have fixed names: a second release fails at once
     instead of fighting over the same platforms. */}}
{{- define "streamplane.name" -}}
streamplane-operator
{{- end -}}

{{/* The selector is fixed for ever: a Deployment's selector cannot change. */}}
{{- define "streamplane.selector" -}}
app.kubernetes.io/name: streamplane-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "streamplane.labels" -}}
{{ include "streamplane.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: streamplane
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* The releases file of the operator, see --releases. */}}
{{- define "streamplane.releases" -}}
releases:
  - name: {{ .Values.release.name | quote }}
    images: {{- .Values.release.images | toYaml | nindent 6 }}
{{- end -}}
