{{/* The router's `models`, read off `engines`: no fact about a model is written down a second time by hand.
files/presets.yaml says what is true of a model on a kind of hardware; what a deployment says otherwise is respected, and
`engines.*.model` and `engines.*.pool` go above both. Engines that serve the same model are its pools, in the order of
their names. */}}

{{- define "tramontane.router.models" -}}
{{- $root := . -}}
{{- $presets := .Files.Get "files/presets.yaml" | fromYaml -}}
{{- $order := list -}}{{- $models := dict -}}{{- $of := dict -}}
{{- range $name, $engine := .Values.engines -}}
  {{- $model := include "tramontane.router.model" (list $root $name $engine $presets) | fromYaml -}}
  {{- $known := get $models $model.id -}}
  {{- if $known -}}
    {{- $_ := set $known "context_length" (max $known.context_length $model.context_length) -}}
    {{- $_ := set $known "pools" (concat $known.pools $model.pools) -}}
  {{- else -}}
    {{- $order = append $order $model.id -}}
    {{- $_ := set $models $model.id $model -}}{{- $_ := set $of $model.id $name -}}
  {{- end -}}
{{- end -}}
{{- $listed := list -}}
{{- range $order -}}{{- $listed = append $listed (get $models .) -}}{{- end -}}
{{- range .Values.router.models -}}
  {{- if hasKey $models .id -}}
    {{- $engine := get $of .id -}}
    {{- fail (printf "router.models: %s is the model of engines.%s already; put further pools into engines.%s.model.pools" .id $engine $engine) -}}
  {{- end -}}
{{- end -}}
{{- toYaml (dict "models" $listed) -}}
{{- end -}}

{{/* One engine's model with its pool: (list . NAME ENGINE PRESETS) */}}
{{- define "tramontane.router.model" -}}
{{- $root := index . 0 -}}{{- $name := index . 1 -}}{{- $engine := index . 2 -}}{{- $presets := index . 3 -}}
{{- $deployment := $engine.deployment -}}
{{- $key := printf "%s/%s" $deployment.model $deployment.preset -}}
{{- if not (hasKey $presets $key) -}}
  {{- fail (printf "engines.%s.deployment: there is no %s; model/preset can be %s" $name $key (keys $presets | sortAlpha | join ", ")) -}}
{{- end -}}
{{- $facts := get $presets $key -}}
{{- $arguments := $deployment.engine | default dict -}}
{{- $id := default $facts.model_id $deployment.model_id -}}
{{- $context := default $facts.context_length $arguments.max_model_len | int -}}
{{- $images := $facts.images_per_request | int -}}
{{- if hasKey $arguments "limit_mm_per_prompt" -}}
  {{- $images = dig "image" 0 $arguments.limit_mm_per_prompt | int -}}
{{- end -}}
{{- $sampling := $arguments.override_generation_config | default $facts.default_parameters | default dict -}}
{{- $shown := pick $sampling "temperature" "top_p" "top_k" "frequency_penalty" "presence_penalty" "repetition_penalty" -}}
{{- $model := dict
  "id" $id
  "context_length" $context
  "input_modalities" (ternary (list "text" "image") (list "text") (gt $images 0))
  "images_per_request" $images -}}
{{- with $shown }}{{ $_ := set $model "default_parameters" . }}{{ end -}}
{{- $source := coalesce $deployment.source $facts.source "/" -}}
{{- if hasPrefix "/weights/" $source -}}{{- $source = default "/" $facts.source -}}{{- end -}}
{{- if not (or (hasPrefix "/" $source) (contains "://" $source)) -}}
  {{- $_ := set $model "hugging_face_id" $source -}}
{{- end -}}
{{- $discovery := dict
  "kind" "ray"
  "dashboard" (printf "http://%s-engines-head-svc:8265" (include "tramontane.fullname" $root))
  "application" $name
  "token" (include "tramontane.secretFile" (list (include "tramontane.rayTokenSecret" $root) "auth_token") | fromYaml) -}}
{{- $pool := dict
  "name" $name
  "upstream_model" $id
  "context_length" $context
  "quantization" (include "tramontane.router.quantization" (list $arguments $facts))
  "discovery" $discovery -}}
{{- with include "tramontane.router.vocabulary" (list $root $deployment $facts) }}{{ $_ := set $pool "vocabulary" . }}{{ end -}}
{{- if and $deployment.autoscaling (eq (dig "min_replicas" 1 $deployment.autoscaling | int) 0) -}}
  {{- $minutes := dig "startMinutes" $root.Values.workers.startMinutes ($engine.workers | default dict) -}}
  {{- $_ := set $pool "scales_to_zero" true -}}{{- $_ := set $pool "waiting_room_s" (mul $minutes 60) -}}
{{- end -}}
{{- $pool = mustMergeOverwrite $pool (deepCopy ($engine.pool | default dict)) -}}
{{- if not $pool.vocabulary }}{{ $pool = omit $pool "vocabulary" }}{{ end -}}
{{- $given := deepCopy ($engine.model | default dict) -}}
{{- $pools := concat (list $pool) ($given.pools | default list) -}}
{{- $model = mustMergeOverwrite $model (omit $given "pools") -}}
{{- $_ := set $model "pools" $pools -}}
{{- toYaml $model -}}
{{- end -}}

{{/* In OpenRouter's words, as deploy/model_facts.py has them: (list ARGUMENTS FACTS) */}}
{{- define "tramontane.router.quantization" -}}
{{- $arguments := index . 0 -}}{{- $facts := index . 1 -}}
{{- if $arguments.quantization -}}
{{- get (dict "fp8" "fp8" "mxfp4" "mxfp4" "mxfp8" "mxfp8" "modelopt_fp4" "nvfp4") $arguments.quantization | default "unknown" -}}
{{- else if $arguments.dtype -}}
{{- get (dict "bfloat16" "bf16" "float16" "fp16" "float32" "fp32") $arguments.dtype | default "unknown" -}}
{{- else -}}
{{- $facts.quantization -}}
{{- end -}}
{{- end -}}

{{/* Path of the tokenizer by which the router reads what engines say of their caches; empty: there is none, and it goes
by what it sent. The pocket model's is small enough for a ConfigMap; others lie with the weights, which routers can mount
only where several nodes can. (list . DEPLOYMENT FACTS) */}}
{{- define "tramontane.router.vocabulary" -}}
{{- $root := index . 0 -}}{{- $deployment := index . 1 -}}{{- $facts := index . 2 -}}
{{- $weights := $root.Values.weights -}}
{{- $folder := "" -}}
{{- if $deployment.source -}}
  {{- if hasPrefix "/weights/" $deployment.source }}{{ $folder = trimSuffix "/" $deployment.source }}{{ end -}}
{{- else -}}
  {{- range ($weights.download).models -}}
    {{- if eq .repository $facts.source }}{{ $folder = printf "/weights/%s" .folder }}{{ end -}}
  {{- end -}}
{{- end -}}
{{- if and $folder $weights.enabled (has $weights.accessMode (list "ReadWriteMany" "ReadOnlyMany")) -}}
{{ $folder }}/tekken.json
{{- else if and (eq $deployment.model "pocket") (not $deployment.source) -}}
/etc/tramontane/vocabularies/pocket.json
{{- end -}}
{{- end -}}

{{/* JSON list of the vocabularies that pools name, each once: the router's whole file → paths */}}
{{- define "tramontane.router.vocabularies" -}}
{{- $paths := list -}}
{{- with (.kv_events).vocabulary }}{{ $paths = append $paths . }}{{ end -}}
{{- range .models -}}{{- range .pools -}}
  {{- with .vocabulary }}{{ $paths = append $paths . }}{{ end -}}
{{- end -}}{{- end -}}
{{- toJson ($paths | uniq | sortAlpha) -}}
{{- end -}}

{{/* Whether a pool of the router's file is found by asking this cluster: then routers need a token for its API. To another
cluster's (`api` is set) the pod's own token is never sent. */}}
{{- define "tramontane.router.asksKubernetes" -}}
{{- $asks := "" -}}
{{- range .models -}}{{- range .pools -}}
  {{- if and (eq (dig "discovery" "kind" "" .) "kubernetes") (not .discovery.api) }}{{ $asks = "true" }}{{ end -}}
{{- end -}}{{- end -}}
{{- $asks -}}
{{- end -}}
