{{/* Engines as Ray sees them: what a deployment says becomes sizes of pods, and Ray's words for the same sizes. One pod
holds one replica's share (all of it, or one host of several), so that Ray finds in each pod exactly what it asks for. */}}

{{/* Pods of one engine: `workers` with what the engine says above it, as YAML: (list . ENGINE) */}}
{{- define "tramontane.engine.workers" -}}
{{- $root := index . 0 -}}{{- $engine := index . 1 -}}
{{- $given := deepCopy ($engine.workers | default dict) -}}
{{- toYaml (mustMergeOverwrite (deepCopy $root.Values.workers) $given) -}}
{{- end -}}

{{/* What is known of its model on its hardware, as YAML: (list . NAME ENGINE) */}}
{{- define "tramontane.engine.preset" -}}
{{- $root := index . 0 -}}{{- $deployment := (index . 2).deployment -}}
{{- $presets := $root.Files.Get "files/presets.yaml" | fromYaml -}}
{{- $key := printf "%s/%s" $deployment.model $deployment.preset -}}
{{- if not (hasKey $presets $key) -}}
  {{- fail (printf "engines.%s.deployment: there is no %s; model/preset can be %s" (index . 1) $key (keys $presets | sortAlpha | join ", ")) -}}
{{- end -}}
{{- toYaml (get $presets $key) -}}
{{- end -}}

{{/* Sizes of one engine, as YAML: (list . NAME ENGINE)
  hosts     pods of a replica
  perPod    workers of the engine in a pod: a tensor-parallel group is never split
  gpus      of a pod
  cpus      that Ray is told of a pod: the workers' and, as any pod may be the first, those of the replica itself
  least, most  numbers of replicas */}}
{{- define "tramontane.engine.sizes" -}}
{{- $root := index . 0 -}}{{- $engine := index . 2 -}}{{- $deployment := $engine.deployment -}}
{{- $preset := include "tramontane.engine.preset" . | fromYaml -}}
{{- $workers := include "tramontane.engine.workers" (list $root $engine) | fromYaml -}}
{{- $hosts := int $workers.hostsPerReplica -}}
{{- $tensor := $deployment.tensor_parallel_size | default $preset.tensor_parallel_size | int -}}
{{- $all := mul $tensor ($deployment.pipeline_parallel_size | default 1) | int -}}
{{- $perPod := div $all $hosts | int -}}
{{- $cpus := addf ($deployment.cpus_per_replica | default 1) (mulf ($deployment.cpus_per_worker | default 1) $perPod) -}}
hosts: {{ $hosts }}
perPod: {{ $perPod }}
workers: {{ $all }}
gpus: {{ ternary $perPod 0 $preset.gpu }}
cpus: {{ $cpus | ceil | int }}
{{- if $deployment.autoscaling }}
least: {{ dig "min_replicas" 1 $deployment.autoscaling | int }}
most: {{ $deployment.autoscaling.max_replicas | int }}
{{- else }}
least: {{ $deployment.replicas | default 1 | int }}
most: {{ $deployment.replicas | default 1 | int }}
{{- end }}
{{- end -}}

{{/* Where the weights of an engine lie: what its deployment says, else the claim's folder that its repository is
downloaded to, else nothing (the profile's own source): (list . NAME ENGINE) */}}
{{- define "tramontane.engine.source" -}}
{{- $root := index . 0 -}}{{- $deployment := (index . 2).deployment -}}
{{- $preset := include "tramontane.engine.preset" . | fromYaml -}}
{{- $wanted := $deployment.source | default $preset.source -}}
{{- $folder := "" -}}
{{- if $root.Values.weights.enabled -}}
  {{- range $root.Values.weights.download.models -}}
    {{- if and $wanted (eq .repository $wanted) }}{{ $folder = printf "/weights/%s" .folder }}{{ end -}}
  {{- end -}}
{{- end -}}
{{- $folder | default $deployment.source | default "" -}}
{{- end -}}

{{/* GiB that an engine fetches from the hub at every start; 0: its weights lie on the claim or in the image. Twice what
the weights are, for a repository may hold them in two forms: (list . NAME ENGINE) */}}
{{- define "tramontane.engine.fetches" -}}
{{- $source := include "tramontane.engine.source" . -}}
{{- $preset := include "tramontane.engine.preset" . | fromYaml -}}
{{- if or (hasPrefix "/" $source) (and (not $source) (not $preset.source)) -}}0
{{- else -}}{{ add (mul 2 ($preset.weights_gib | default 45)) 10 }}
{{- end -}}
{{- end -}}

{{/* Seconds that running answers may take when a replica ends: (list . ENGINE) */}}
{{- define "tramontane.engine.drain" -}}
{{- dig "drain" "timeout_s" 300 (index . 1).deployment | float64 | ceil | int -}}
{{- end -}}

{{/* The longest of them. */}}
{{- define "tramontane.engines.drain" -}}
{{- $longest := 0 -}}
{{- range .Values.engines -}}{{- $longest = max $longest (include "tramontane.engine.drain" (list $ . ) | int) -}}{{- end -}}
{{- $longest -}}
{{- end -}}

{{/* Whether one of them scales, so that Ray's autoscaler must run: "true" or nothing. */}}
{{- define "tramontane.engines.scale" -}}
{{- range .Values.engines }}{{ if .deployment.autoscaling }}true{{ end }}{{ end -}}
{{- end -}}

{{/* The image of an engine's pods: (list . NAME ENGINE) */}}
{{- define "tramontane.engine.image" -}}
{{- $root := index . 0 -}}
{{- $preset := include "tramontane.engine.preset" . | fromYaml -}}
{{- include "tramontane.image" (list $root (ternary $root.Values.images.engine $root.Values.images.engineCpu $preset.gpu)) -}}
{{- end -}}

{{/* The head's image: the one that most pods have, as applications are built on the head too. */}}
{{- define "tramontane.engines.headImage" -}}
{{- $gpu := false -}}
{{- range $name, $engine := .Values.engines -}}
  {{- if (include "tramontane.engine.preset" (list $ $name $engine) | fromYaml).gpu }}{{ $gpu = true }}{{ end -}}
{{- end -}}
{{- include "tramontane.image" (list . (ternary .Values.images.engine .Values.images.engineCpu $gpu)) -}}
{{- end -}}
