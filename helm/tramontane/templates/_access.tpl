{{/* Namespaces in which routers look for engines with their own account, JSON: pools found by `kind: kubernetes` whose
`api` is the cluster's own. */}}
{{- define "tramontane.access.namespaces" -}}
{{- $root := . -}}{{- $found := list -}}
{{- range (include "tramontane.router.config" . | fromYaml).models -}}{{- range .pools -}}
  {{- $discovery := .discovery | default dict -}}
  {{- if and (eq ($discovery.kind | default "") "kubernetes") (not $discovery.api) -}}
    {{- $found = append $found ($discovery.namespace | default $root.Release.Namespace) -}}
  {{- end -}}
{{- end -}}{{- end -}}
{{- $found | uniq | sortAlpha | toJson -}}
{{- end -}}

{{/* Name of the role in a namespace; in another one it must not be another release's: (list . NAMESPACE) */}}
{{- define "tramontane.access.role" -}}
{{- $root := index . 0 -}}
{{- $name := include "tramontane.name" (list $root "router-discovery") -}}
{{- eq (index . 1) $root.Release.Namespace | ternary $name (printf "%s-%s" $root.Release.Namespace $name) -}}
{{- end -}}
