{{/* How the number of routers follows the load. A router is one event loop on one core, so CPU tells when it is full; what
it waits for tells earlier, as streams cost little. */}}

{{/* Up at once, as requests wait. Down by one router at a time and not before the last one has drained: each that leaves
sends its callers' next requests to the others. (`.`) → an HPA's behavior as YAML */}}
{{- define "tramontane.scaling.behavior" -}}
{{- $listen := (include "tramontane.router.config" . | fromYaml).listen -}}
{{- $drain := addf $listen.leave_s $listen.drain_s | ceil | int -}}
scaleUp:
  stabilizationWindowSeconds: 0
  selectPolicy: Max
  policies:
    - {type: Percent, value: 100, periodSeconds: 30}
    - {type: Pods, value: 2, periodSeconds: 30}
scaleDown:
  stabilizationWindowSeconds: {{ min 3600 (max 300 $drain) }}
  selectPolicy: Min
  policies:
    - {type: Pods, value: 1, periodSeconds: {{ min 1800 (max 60 $drain) }}}
{{- end -}}

{{- define "tramontane.scaling.prometheus" -}}
serverAddress: {{ .Values.router.autoscaling.prometheus | quote }}
ignoreNullValues: "false" # no answer is no zero: the fallback below, not nothing
{{- end -}}
