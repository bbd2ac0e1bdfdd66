{{/* The router's file (docs/settings.md): what follows from the chart's values, then `router.config` above it, then
`router.models` behind its models. Secrets stand in it by the paths of their files alone. */}}

{{- define "tramontane.router.config" -}}
{{- $models := (include "tramontane.router.models" . | fromYaml).models | default list -}}
{{- $config := dict
  "listen" (include "tramontane.router.listen" . | fromYaml)
  "ledger" (dict "spool" (dict "directory" "/var/lib/tramontane/spool"))
  "models" $models
  "mesh" (dict
    "secret" (include "tramontane.secretFile" (list (include "tramontane.meshSecret" .) "secret") | fromYaml)
    "gossip" (dict "dns" (printf "%s:8082" (include "tramontane.name" (list . "router-peers"))))) -}}
{{- $config = mustMergeOverwrite $config (include "tramontane.router.accounts" . | fromYaml) -}}
{{- $images := include "tramontane.router.images" (concat $models .Values.router.models) | int -}}
{{- if $images }}{{ $_ := set $config "limits" (dict "images" $images) }}{{ end -}}
{{- $config = mustMergeOverwrite $config (deepCopy .Values.router.config) -}}
{{- $_ := set $config "models" (concat ($config.models | default list) .Values.router.models) -}}
{{- toYaml $config -}}
{{- end -}}

{{- define "tramontane.router.listen" -}}
host: 0.0.0.0
port: 8080
leave_s: {{ .Values.router.drain.leaveSeconds }}
drain_s: {{ .Values.router.drain.drainSeconds }}
{{- if and .Values.ingress.enabled (eq .Values.ingress.controller "alb") }}
keep_alive_s: 3660 # above the balancer's idle timeout, or it sends requests into connections that are just closed
{{- end }}
metrics: {host: 0.0.0.0, port: 9090}
admin: {host: 0.0.0.0, port: 8081}
{{- end -}}

{{/* Where keys come from. The management key is in both: without a database it sees /status, which names addresses. */}}
{{- define "tramontane.router.accounts" -}}
{{- $key := include "tramontane.secretFile" (list (include "tramontane.managementKeySecret" .) "management-key") -}}
{{- if include "tramontane.hasDatabase" . -}}
{{- with include "tramontane.databaseSecret" . -}}
database: {url: {{ include "tramontane.secretFile" (list . "url") }}}
{{- end }}
accounts: {bootstrap: {{ $key }}}
{{- else -}}
keys:
  - {name: management, management: true, secret: {{ $key }}}
  {{- range .Values.router.callers }}
  - {name: {{ . | quote }}, secret: {{ include "tramontane.secretFile" (list (include "tramontane.callersSecret" $) .) }}}
  {{- end }}
{{- end -}}
{{- end -}}

{{/* The most pictures that any of these models takes in a request; those that do not say take the router's own 10. */}}
{{- define "tramontane.router.images" -}}
{{- $most := 0 -}}
{{- range . -}}
  {{- if has "image" (.input_modalities | default list) }}{{ $most = max $most (.images_per_request | default 10) }}{{ end -}}
{{- end -}}
{{- $most -}}
{{- end -}}

{{/* What a running router cannot take over (router/reload_sections.py): its part of the pods' template, so that another
value replaces the pods, while all else is taken over by those that run. The router's whole file → JSON. */}}
{{- define "tramontane.router.restart" -}}
{{- $config := . -}}{{- $parts := dict -}}
{{- range $path := list
    "listen" "front" "cors" "database" "accounts.known" "accounts.presets" "accounts.lending" "ledger" "responses"
    "stored_files" "batches" "quotas.lease" "waiting.queue" "mesh" "breaker" "routing.prefix" "routing.slow_start"
    "probe.stale_after_s" "facts" "log.access" -}}
  {{- $at := $config -}}
  {{- range splitList "." $path -}}{{- $at = kindIs "map" $at | ternary $at dict | dig . nil -}}{{- end -}}
  {{- $_ := set $parts $path $at -}}
{{- end -}}
{{- toJson $parts -}}
{{- end -}}
