{{/* What weights cannot be (see _validations.tpl). (list . PRESETS) */}}

{{- define "tramontane.validations.weights" -}}
{{- $root := index . 0 -}}{{- $presets := index . 1 -}}
{{- $weights := $root.Values.weights -}}{{- $download := $weights.download -}}{{- $policy := $root.Values.networkPolicy -}}
{{- $isShut := and $policy.enabled (not $policy.weightsFrom) -}}
{{- if $weights.enabled }}
{{- if and $download.enabled (not $download.models) }}
weights.download.models is empty, so the claim would stay empty: name what to download, e.g. {repository: mistralai/Mistral-Small-3.1-24B-Instruct-2503, folder: mistral-small-3.1-24b}, or set weights.download.enabled: false for a claim that is filled already
{{- end }}
{{- if and $download.enabled (eq $weights.accessMode "ReadOnlyMany") }}
weights.accessMode is ReadOnlyMany, which no job can fill: set weights.download.enabled: false and name the filled claim in weights.existingClaim, or use ReadWriteMany
{{- end }}
{{- if and (eq $weights.accessMode "ReadOnlyMany") (not $download.enabled) (not $weights.existingClaim) }}
weights.existingClaim is empty, and a new claim that is ReadOnlyMany can never be filled: name the claim that is, or use ReadWriteMany
{{- end }}
{{- if and $download.enabled $download.models $isShut }}
networkPolicy.weightsFrom is empty, so the download job reaches nothing: add the networks of {{ $download.endpoint }}, or set weights.download.enabled: false for a claim that is filled already
{{- end }}
{{- include "tramontane.validations.oneNode" $root }}
{{- else }}
{{- if $download.models }}
weights.download.models is set, but weights.enabled is false, so that nothing is downloaded: set weights.enabled: true
{{- end }}
{{- if $weights.existingClaim }}
weights.existingClaim is set, but weights.enabled is false, so that it is not mounted: set weights.enabled: true
{{- end }}
{{- end }}
{{- $folders := dict -}}
{{- range $download.models }}
{{- if hasKey $folders .folder }}
weights.download.models: two of them go to the folder {{ .folder }}; give each its own
{{- end }}
{{- $_ := set $folders .folder true }}
{{- end }}
{{- range $name, $engine := $root.Values.engines }}
{{- $facts := get $presets (printf "%s/%s" $engine.deployment.model $engine.deployment.preset) | default dict -}}
{{- $source := $engine.deployment.source | default $facts.source | default "/" -}}
{{- $isDownloaded := false -}}
{{- range $download.models }}{{ if eq .repository $source }}{{ $isDownloaded = $weights.enabled }}{{ end }}{{ end -}}
{{- if and $isShut (not $isDownloaded) (not (hasPrefix "/" $source)) }}
engines.{{ $name }}.deployment.source is {{ $source }}, which the engine fetches at every start, but networkPolicy.weightsFrom is empty: put it on the claim (weights.enabled, source: /weights/FOLDER), or add the networks it comes from
{{- end }}
{{- end }}
{{- end -}}

{{/* ReadWriteOnce is one node's volume: fine for engines that are tied to one. */}}
{{- define "tramontane.validations.oneNode" -}}
{{- $pods := 0 -}}{{- $free := list -}}{{- $values := .Values -}}
{{- range $name, $engine := .Values.engines -}}
  {{- $hosts := dig "workers" "hostsPerReplica" $values.workers.hostsPerReplica $engine | int -}}
  {{- $replicas := dig "autoscaling" "max_replicas" (dig "replicas" 1 $engine.deployment) $engine.deployment | int -}}
  {{- $pods = add $pods (mul $hosts $replicas) -}}
  {{- $selector := dig "workers" "nodeSelector" dict $engine | default dict | merge (deepCopy $values.workers.nodeSelector) -}}
  {{- if not (hasKey $selector "kubernetes.io/hostname") }}{{ $free = append $free $name }}{{ end -}}
{{- end -}}
{{- if and (eq .Values.weights.accessMode "ReadWriteOnce") (gt (int $pods) 1) $free }}
weights.accessMode is ReadWriteOnce, a volume of one node, but there can be {{ $pods }} engine pods on any nodes ({{ join ", " $free }}): use ReadWriteMany, or tie the engines to one node by workers.nodeSelector: {kubernetes.io/hostname: NODE}
{{- end }}
{{- end -}}
