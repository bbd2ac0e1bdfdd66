{{/* A pod of an engine: (list . NAME ENGINE). Its probes:
  startup    the raylet answers: the pod belongs to the cluster. Whether an engine comes up is not asked here, as a pod may
             wait for one: that Serve places a replica in it does not depend on Kubernetes' idea of ready.
  liveness   the raylet answers, itself and not by way of the head: a head that is away must not end engines that answer.
             And no replica takes longer than `startMinutes` to come up, as Serve itself would wait for it for ever. A
             replica that is up and hangs is Serve's to replace (`deployment.health`).
  readiness  a replica of this pod answers and does not drain. So a budget for disruptions counts engines, and not pods;
             pods that only share in a replica have none of their own, and are ready with their raylet.
Its end: before SIGTERM, which ends Ray and all engines at once, `serving.leave` has Ray drain this node: Serve starts
the replica anew elsewhere if it can, takes it off the list that routers read, and lets its streams end. */}}
{{- define "tramontane.ray.worker" -}}
{{- $root := index . 0 -}}{{- $name := index . 1 -}}{{- $engine := index . 2 -}}
{{- $workers := include "tramontane.engine.workers" (list $root $engine) | fromYaml -}}
{{- $sizes := include "tramontane.engine.sizes" . | fromYaml -}}
{{- $source := include "tramontane.engine.source" . -}}
{{- $fetches := include "tramontane.engine.fetches" . | int -}}
{{- $drain := include "tramontane.engine.drain" (list $root $engine) | int -}}
{{- $onClaim := or (eq $source "/weights") (hasPrefix "/weights/" $source) -}}
{{- $token := $root.Values.weights.download.tokenSecret -}}
{{- $kvPort := dig "kv_events" "port" 0 $engine.deployment | default 31100 | int -}}
metadata:
  labels:
    {{- include "tramontane.selector" (list $root "engines") | nindent 4 }}
    {{- with $root.Values.commonLabels }}{{ toYaml . | nindent 4 }}{{ end }}
    {{- with $workers.podLabels }}{{ toYaml . | nindent 4 }}{{ end }}
  {{- with $workers.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- include "tramontane.ray.placement" (list $root $workers) | nindent 2 }}
  automountServiceAccountToken: false
  # the drain below, and Ray's own end
  terminationGracePeriodSeconds: {{ add $drain 60 }}
  {{- include "tramontane.ray.restart" $root | nindent 2 }}
  {{- if $onClaim }}
  initContainers:
    {{- include "tramontane.weights.wait" (list $root $name $engine $source) | nindent 4 }}
  {{- end }}
  containers:
    - name: ray-worker
      image: {{ include "tramontane.engine.image" . }}
      imagePullPolicy: {{ $root.Values.images.pullPolicy }}
      ports:
        - {name: metrics, containerPort: 8080}
        - {name: engine, containerPort: 30000}
        - {name: kv-events, containerPort: {{ $kvPort }}}
      env:
        {{- include "tramontane.ray.env" $root | nindent 8 }}
        - {name: HF_HOME, value: {{ ternary "/hub" "/tmp/cache/huggingface" (gt $fetches 0) }}}
        {{- if $onClaim }}
        - {name: HF_HUB_OFFLINE, value: "1"} # what is not on the claim is an error, not a download
        {{- end }}
        {{- if $fetches }}
        - {name: HF_ENDPOINT, value: {{ $root.Values.weights.download.endpoint | quote }}}
        {{- with $token }}
        - {name: HF_TOKEN_PATH, value: {{ printf "/etc/tramontane/secrets/%s/token" . | quote }}}
        {{- end }}
        {{- end }}
        {{- with $workers.env }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      resources:
        {{- include "tramontane.engine.resources" . | nindent 8 }}
      securityContext:
        {{- include "tramontane.containerSecurity" $root | nindent 8 }}
      startupProbe:
        exec: {{ include "tramontane.ray.probe" (list "worker") }}
        periodSeconds: 5
        timeoutSeconds: 10
        failureThreshold: 60
      livenessProbe:
        exec: {{ include "tramontane.ray.probe" (list "worker" "--start-seconds" (mul $workers.startMinutes 60 | toString)) }}
        periodSeconds: 10
        timeoutSeconds: 10
        failureThreshold: 6 # a node may stand still for some seconds while weights are loaded
      readinessProbe:
        exec: {{ include "tramontane.ray.probe" (list "worker" "--replicas" (eq (int $sizes.hosts) 1 | ternary "1" "0")) }}
        periodSeconds: 5
        timeoutSeconds: 10
        failureThreshold: 2
      lifecycle:
        preStop:
          exec:
            command: [python, -m, serving.leave, --seconds, {{ add $drain 45 | toString | quote }}]
      volumeMounts:
        {{- include "tramontane.ray.mounts" $root | nindent 8 }}
        {{- if $onClaim }}
        - {name: weights, mountPath: /weights, readOnly: true}
        {{- end }}
        {{- if $fetches }}
        - {name: hub, mountPath: /hub}
        {{- with $token }}
        - {name: hub-token, mountPath: {{ printf "/etc/tramontane/secrets/%s" . | quote }}, readOnly: true}
        {{- end }}
        {{- end }}
  volumes:
    {{- include "tramontane.ray.volumes" (list $workers.scratch $workers.sharedMemory) | nindent 4 }}
    {{- if $onClaim }}
    {{- include "tramontane.weights.volume" $root | nindent 4 }}
    {{- end }}
    {{- if $fetches }}
    - name: hub
      emptyDir: {sizeLimit: {{ $fetches }}Gi}
    {{- with $token }}
    - name: hub-token
      secret:
        secretName: {{ . }}
        defaultMode: 0440
        items: [{key: token, path: token}]
    {{- end }}
    {{- end }}
{{- end -}}

{{/* Resources of a pod of an engine, its GPUs among them: (list . NAME ENGINE) */}}
{{- define "tramontane.engine.resources" -}}
{{- $workers := include "tramontane.engine.workers" (list (index . 0) (index . 2)) | fromYaml -}}
{{- $sizes := include "tramontane.engine.sizes" . | fromYaml -}}
{{- $resources := deepCopy $workers.resources -}}
{{- if $sizes.gpus -}}
  {{- range $kind := list "requests" "limits" -}}
    {{- $_ := set $resources $kind (merge (dict $workers.gpuResource (toString $sizes.gpus)) (get $resources $kind | default dict)) -}}
  {{- end -}}
{{- end -}}
{{- toYaml $resources -}}
{{- end -}}
