{{/* What routers cannot be (see _validations.tpl). */}}

{{- define "tramontane.validations.router" -}}
{{- $router := .Values.router -}}{{- $scaling := $router.autoscaling -}}{{- $listen := $router.config.listen | default dict -}}
{{- $least := eq $scaling.kind "none" | ternary $router.replicas $scaling.minReplicas | int -}}
{{- if ne $scaling.kind "none" }}
{{- if gt (int $scaling.minReplicas) (int $scaling.maxReplicas) }}
router.autoscaling: minReplicas ({{ $scaling.minReplicas }}) is above maxReplicas ({{ $scaling.maxReplicas }}); raise the one or lower the other
{{- end }}
{{- if ne (int $router.replicas) 2 }}
router.replicas is {{ $router.replicas }}, but router.autoscaling.kind is {{ $scaling.kind }}, which decides their number: leave replicas out, and set router.autoscaling.minReplicas
{{- end }}
{{- if not (dig "requests" "cpu" "" $router.resources) }}
router.resources.requests.cpu is not set, and router.autoscaling.targetCpuPercent is a share of it: set it, e.g. "1"
{{- end }}
{{- end }}
{{- if and (not $scaling.prometheus) (or (eq $scaling.kind "keda") .Values.scaledEngines) }}
router.autoscaling.prometheus is empty: KEDA asks Prometheus what waits in the routers; give its address, e.g. http://prometheus-operated.monitoring:9090
{{- end }}
{{- $away := $router.podDisruptionBudget.maxUnavailable -}}
{{- if and $router.podDisruptionBudget.enabled (not (kindIs "string" $away)) (gt $least 1) (ge (int $away) $least) }}
router.podDisruptionBudget.maxUnavailable ({{ $away }}) lets all of {{ $least }} routers go at once: set it below that number
{{- end }}
{{- range $path, $port := dict "port" 8080 "metrics.port" 9090 "admin.port" 8081 }}
{{- $asked := dig (splitList "." $path | first) (dict) $listen -}}
{{- if contains "." $path }}{{ $asked = get ($asked | default dict) "port" }}{{ end -}}
{{- if and $asked (ne (int $asked) $port) }}
router.config.listen.{{ $path }} is {{ $asked }}, but probes and Services ask the pod at {{ $port }}: leave it out, and set service.port for callers
{{- end }}
{{- end }}
{{- range $name, $engine := .Values.engines }}
{{- if and (eq (dig "autoscaling" "min_replicas" 1 $engine.deployment | int) 0) (hasKey ($router.config.waiting | default dict) "room_s") (eq (float64 ($router.config.waiting).room_s) 0.0) }}
engines.{{ $name }}.deployment.autoscaling.min_replicas is 0, but router.config.waiting.room_s is 0, so that no request would wait until an engine is there: set it to the seconds that an engine takes to start
{{- end }}
{{- end }}
{{- if and .Values.networkPolicy.enabled (not .Values.networkPolicy.routersTo) $router.config.providers }}
networkPolicy.routersTo is empty, but router.config.providers names providers, which routers then cannot reach: add their networks, e.g. [0.0.0.0/0]
{{- end }}
{{- end -}}

{{- define "tramontane.validations.scaledEngines" -}}
{{- $pools := list -}}{{- $asleep := list -}}
{{- range concat (.Values.router.models | default list) (.Values.router.config.models | default list) }}{{ range .pools }}{{ $pools = append $pools .name }}{{ if .scales_to_zero }}{{ $asleep = append $asleep .name }}{{ end }}{{ end }}{{ end -}}
{{- $values := .Values -}}
{{- range $name, $scaled := .Values.scaledEngines }}
{{- if hasKey $values.engines $scaled.pool }}
scaledEngines.{{ $name }}.pool is {{ $scaled.pool }}, an engine of this chart, which Ray scales: set engines.{{ $scaled.pool }}.deployment.autoscaling instead
{{- else if not (has $scaled.pool $pools) }}
scaledEngines.{{ $name }}.pool: there is no pool {{ $scaled.pool }}; the pools of router.models are {{ $pools | sortAlpha | join ", " | default "none" }}
{{- end }}
{{- if and (has $scaled.pool $pools) (not (int $scaled.minReplicas)) (not (has $scaled.pool $asleep)) }}
scaledEngines.{{ $name }}: pool {{ $scaled.pool }} may be without an engine, and routers count as unready then, so that nobody's request could wake one: set scales_to_zero: true and waiting_room_s at that pool in router.models
{{- end }}
{{- if gt (int ($scaled.minReplicas | default 0)) (int $scaled.maxReplicas) }}
scaledEngines.{{ $name }}: minReplicas ({{ $scaled.minReplicas }}) is above maxReplicas ({{ $scaled.maxReplicas }}); raise the one or lower the other
{{- end }}
{{- end }}
{{- end -}}
