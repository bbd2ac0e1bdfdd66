{{/* Names, labels and images: what every template uses. One idea more has a file of its own (_engines.tpl, ...). */}}

{{/* Of all objects of a release: at most 30 characters, as KubeRay adds to the names of what it makes. */}}
{{- define "tramontane.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- default $full .Values.fullnameOverride | trunc 30 | trimSuffix "-" -}}
{{- end -}}

{{/* (list . "router") → NAME-router */}}
{{- define "tramontane.name" -}}
{{- printf "%s-%s" (include "tramontane.fullname" (index . 0)) (index . 1) -}}
{{- end -}}

{{/* Of pods of one part; never changes, as selectors cannot. (list . "router") */}}
{{- define "tramontane.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ default $root.Chart.Name $root.Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* (list . "router") */}}
{{- define "tramontane.labels" -}}
{{- $root := index . 0 -}}
{{ include "tramontane.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: tramontane
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* metadata of an object: (list . "router" "router-peers"): component, and the name's end if it is another. */}}
{{- define "tramontane.metadata" -}}
{{- $root := index . 0 -}}
name: {{ include "tramontane.name" (list $root (last .)) }}
namespace: {{ $root.Release.Namespace }}
labels:
  {{- include "tramontane.labels" (list $root (index . 1)) | nindent 2 }}
{{- end -}}

{{/* (list . .Values.images.router) → registry/repository:tag, or @digest */}}
{{- define "tramontane.image" -}}
{{- $root := index . 0 -}}{{- $image := index . 1 -}}
{{- with $root.Values.images.registry }}{{ . | trimSuffix "/" }}/{{ end -}}
{{- $image.repository -}}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ default $root.Chart.AppVersion $image.tag }}{{ end -}}
{{- end -}}

{{- define "tramontane.pullSecrets" -}}
{{- with .Values.images.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* Of every pod that runs no foreign image: (dict "uid" 10001) */}}
{{- define "tramontane.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .uid }}
runAsGroup: {{ .uid }}
fsGroup: {{ .uid }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "tramontane.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* A secret that is made once and kept: (list . "management-key" "management-key") → the value that is there, or a new
one. `lookup` finds nothing under `helm template`, where each rendering makes another one. */}}
{{- define "tramontane.kept" -}}
{{- $root := index . 0 -}}
{{- $found := lookup "v1" "Secret" $root.Release.Namespace (include "tramontane.name" (list $root (index . 1))) -}}
{{- $data := dig "data" (dict) ($found | default dict) -}}
{{- if hasKey $data (index . 2) }}{{ index $data (index . 2) | b64dec }}{{ else }}{{ randAlphaNum 64 | lower }}{{ end -}}
{{- end -}}
