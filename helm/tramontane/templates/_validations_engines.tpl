{{/* What engines cannot be (see _validations.tpl). Whether a model fits its cards is said by the engine itself, in its
application's status, before it loads anything. (list . PRESETS) */}}

{{- define "tramontane.validations.engines" -}}
{{- $root := index . 0 -}}{{- $presets := index . 1 -}}
{{- range $name, $engine := $root.Values.engines }}
{{- $deployment := $engine.deployment -}}
{{- $at := printf "engines.%s.deployment" $name -}}
{{- $key := printf "%s/%s" $deployment.model $deployment.preset -}}
{{- if or (not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name)) (gt (len $name) 40) }}
engines.{{ $name }}: an engine's name is part of its pods' names: at most 40 lower-case letters, digits and dashes, a letter first
{{- end }}
{{- if and $deployment.application (ne $deployment.application $name) }}
{{ $at }}.application is {{ $deployment.application }}: the engine's name is its application's; leave it out
{{- end }}
{{- if and $deployment.replicas $deployment.autoscaling }}
{{ $at }}: replicas and autoscaling are both set; keep one of them
{{- end }}
{{- with $deployment.autoscaling }}
{{- if gt (dig "min_replicas" 1 . | int) (int .max_replicas) }}
{{ $at }}.autoscaling: min_replicas ({{ dig "min_replicas" 1 . }}) is above max_replicas ({{ .max_replicas }}); raise the one or lower the other
{{- end }}
{{- end }}
{{- with dig "kv_events" "port" 0 $deployment | int }}
{{- if and (ge . 30000) (le . 31000) }}
{{ $at }}.kv_events.port is {{ . }}, among the ports at which replicas answer (30000 to 31000): choose another, or leave it out for 31100
{{- end }}
{{- end }}
{{- range $argument, $advice := include "tramontane.validations.owned" $root | fromYaml }}
{{- if hasKey ($deployment.engine | default dict) $argument }}
{{ $at }}.engine.{{ $argument }}: not here: {{ $advice }}
{{- end }}
{{- end }}
{{- if not (hasKey $presets $key) }}
{{ $at }}: there is no preset {{ $deployment.preset }} of a model {{ $deployment.model }}; model/preset can be {{ keys $presets | sortAlpha | join ", " }}
{{- else }}
{{- include "tramontane.validations.sizes" (list $root $name $engine (get $presets $key)) }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Of one engine whose preset is known: (list . NAME ENGINE FACTS) */}}
{{- define "tramontane.validations.sizes" -}}
{{- $root := index . 0 -}}{{- $name := index . 1 -}}{{- $engine := index . 2 -}}{{- $facts := index . 3 -}}
{{- $workers := mustMergeOverwrite (deepCopy $root.Values.workers) (deepCopy ($engine.workers | default dict)) -}}
{{- $hosts := int $workers.hostsPerReplica -}}
{{- $stages := $engine.deployment.pipeline_parallel_size | default 1 | int -}}
{{- if and (gt $hosts 1) (ne (mod $stages $hosts) 0) }}
engines.{{ $name }}.workers.hostsPerReplica is {{ $hosts }}, which does not divide the replica's pipeline stages ({{ $stages }}); a tensor-parallel group never leaves its pod: set deployment.pipeline_parallel_size to a multiple of {{ $hosts }}, or fewer hosts
{{- end }}
{{- if and (gt $hosts 1) (not $facts.gpu) }}
engines.{{ $name }}.workers.hostsPerReplica is {{ $hosts }}, but on CPU all of a replica's workers run on one node: set it to 1
{{- end }}
{{- range $kind := list "requests" "limits" }}
{{- if hasKey (get $workers.resources $kind | default dict) $workers.gpuResource }}
engines.{{ $name }}.workers.resources.{{ $kind }}: {{ $workers.gpuResource }} follows from the parallel sizes and hostsPerReplica; leave it out
{{- end }}
{{- end }}
{{- $source := $engine.deployment.source | default "" -}}
{{- if and (or (eq $source "/weights") (hasPrefix "/weights/" $source)) (not $root.Values.weights.enabled) }}
engines.{{ $name }}.deployment.source is {{ $source }}, on the weights' claim, but weights.enabled is false: set it to true
{{- end }}
{{- end -}}

{{/* vLLM's arguments that something else decides, each with what to do instead: serving/engine.py's OWNED. */}}
{{- define "tramontane.validations.owned" -}}
model: use source
served_model_name: use model_id
tensor_parallel_size: use tensor_parallel_size beside engine, not under it
pipeline_parallel_size: use pipeline_parallel_size beside engine, not under it
data_parallel_size: "use replicas: each replica answers on a port of its own"
distributed_executor_backend: it follows from the preset
kv_events_config: use kv_events
disable_log_stats: liveness and routing read the engine's statistics
host: Ray Serve opens the ports
port: Ray Serve opens the ports
{{- end -}}
