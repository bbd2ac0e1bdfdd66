{{/* What monitors and rules have in common. */}}

{{/* metadata of one of several objects that are made of files or values: (list . COMPONENT NAME), with monitoring.labels */}}
{{- define "tramontane.monitoring.metadata" -}}
{{ include "tramontane.metadata" . }}
{{- with (index . 0).Values.monitoring.labels }}
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Series of this release's routers, as a selector within braces: by what every scraper of pods writes on them. */}}
{{- define "tramontane.monitoring.routers" -}}
namespace="{{ .Release.Namespace }}", pod=~"{{ include "tramontane.name" (list . "router") }}-.+"
{{- end -}}

{{/* The address to ask, with another port than the one by which the pod was found: (list PORT) */}}
{{- define "tramontane.monitoring.port" -}}
- action: replace
  sourceLabels: [__address__]
  regex: (.+):\d+
  replacement: $1:{{ index . 0 }}
  targetLabel: __address__
{{- end -}}
