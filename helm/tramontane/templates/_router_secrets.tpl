{{/* Which secrets routers read, and where they find them: /etc/tramontane/secrets/SECRET/KEY, a folder for each secret, so
that a changed secret arrives in a running pod (a subPath mount would never change). */}}

{{- define "tramontane.managementKeySecret" -}}
{{- default (include "tramontane.name" (list . "management-key")) .Values.router.managementKeySecret -}}
{{- end -}}

{{- define "tramontane.callersSecret" -}}
{{- default (include "tramontane.name" (list . "callers")) .Values.router.callersSecret -}}
{{- end -}}

{{- define "tramontane.meshSecret" -}}
{{- default (include "tramontane.name" (list . "mesh")) .Values.router.meshSecret -}}
{{- end -}}

{{- define "tramontane.rayTokenSecret" -}}
{{- default (include "tramontane.name" (list . "ray-token")) .Values.ray.tokenSecret -}}
{{- end -}}

{{/* That holds the database's address under `url`; empty: the chart brings and names no database. */}}
{{- define "tramontane.databaseSecret" -}}
{{- if .Values.database.external.secret }}{{ .Values.database.external.secret }}
{{- else if .Values.database.embedded.enabled }}{{ include "tramontane.name" (list . "postgresql") }}
{{- end -}}
{{- end -}}

{{/* Whether keys are in a database, be it one that `router.config` names: "true" or nothing. */}}
{{- define "tramontane.hasDatabase" -}}
{{- if or (include "tramontane.databaseSecret" .) (.Values.router.config).database }}true{{ end -}}
{{- end -}}

{{/* A secret as the router's file names it: (list NAME KEY) */}}
{{- define "tramontane.secretFile" -}}
{file: {{ printf "/etc/tramontane/secrets/%s/%s" (index . 0) (index . 1) | quote }}}
{{- end -}}

{{/* JSON list of the secrets to mount: {name, keys: only those; none: all}. One that is named twice is mounted whole. */}}
{{- define "tramontane.router.secrets" -}}
{{- $whole := .Values.router.secrets | default list | uniq -}}
{{- $mounts := list -}}
{{- $ours := list
  (dict "name" (include "tramontane.managementKeySecret" .) "keys" (list "management-key"))
  (dict "name" (include "tramontane.meshSecret" .) "keys" (list "secret")) -}}
{{- with include "tramontane.databaseSecret" . -}}
  {{- $ours = append $ours (dict "name" . "keys" (list "url")) -}}
{{- end -}}
{{- if not (include "tramontane.hasDatabase" .) -}}
  {{- $ours = append $ours (dict "name" (include "tramontane.callersSecret" .) "keys" .Values.router.callers) -}}
{{- end -}}
{{- if .Values.engines -}}
  {{- $ours = append $ours (dict "name" (include "tramontane.rayTokenSecret" .) "keys" (list "auth_token")) -}}
{{- end -}}
{{- $names := list -}}
{{- range $ours -}}{{- $names = append $names .name -}}{{- end -}}
{{- range $ours -}}
  {{- $name := .name -}}{{- $seen := 0 -}}
  {{- range $names -}}{{- if eq . $name -}}{{- $seen = add1 $seen -}}{{- end -}}{{- end -}}
  {{- if gt (int $seen) 1 -}}{{- $whole = append $whole $name | uniq -}}{{- end -}}
{{- end -}}
{{- range $ours -}}
  {{- if not (has .name $whole) -}}{{- $mounts = append $mounts . -}}{{- end -}}
{{- end -}}
{{- range $whole -}}{{- $mounts = append $mounts (dict "name" . "keys" list) -}}{{- end -}}
{{- toJson $mounts -}}
{{- end -}}

{{/* A key as accounts know it (sk-or-v1- and 64 hexadecimal digits), made once and kept: (list . SECRET KEY) → the one
that is in the secret, or a new one of 256 random bits. `lookup` finds nothing under `helm template`. */}}
{{- define "tramontane.keptKey" -}}
{{- $root := index . 0 -}}
{{- $found := lookup "v1" "Secret" $root.Release.Namespace (include "tramontane.name" (list $root (index . 1))) -}}
{{- $data := dig "data" (dict) ($found | default dict) -}}
{{- if hasKey $data (index . 2) }}{{ index $data (index . 2) | b64dec }}
{{- else }}{{ printf "sk-or-v1-%s" (randAlphaNum 64 | sha256sum) }}
{{- end -}}
{{- end -}}

{{/* Refuse a file that no volume brings: (list . TEXT), the router's file as text. */}}
{{- define "tramontane.router.checkSecrets" -}}
{{- $names := list -}}
{{- range include "tramontane.router.secrets" (index . 0) | fromJsonArray -}}{{- $names = append $names .name -}}{{- end -}}
{{- range regexFindAll "/etc/tramontane/secrets/[^/\\s\"']+" (index . 1) -1 -}}
  {{- $name := base . -}}
  {{- if not (has $name $names) -}}
    {{- fail (printf "router.secrets: add %s, of which router.config, router.models or an engine's model and pool name a file" $name) -}}
  {{- end -}}
{{- end -}}
{{- end -}}
