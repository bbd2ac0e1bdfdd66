{{/* The pod of the head: GCS, dashboard, Serve's controller and proxy; no engine. Its probes:
  liveness   the GCS and the raylet answer. A dashboard that hangs is no reason to end the head where nothing keeps the
             GCS's state: all engines would end with it, which routers go on using meanwhile. With fault tolerance a new
             head takes over, and the dashboard counts too.
  readiness  the dashboard answers for the GCS: KubeRay and the routers ask it through the head's Service. */}}
{{- define "tramontane.ray.head" -}}
{{- $head := .Values.ray.head -}}
{{- $alive := list "head" -}}
{{- if ne .Values.ray.gcsFaultTolerance.backend "none" }}{{ $alive = append $alive "--dashboard" }}{{ end -}}
metadata:
  labels:
    {{- include "tramontane.selector" (list . "engines") | nindent 4 }}
    {{- with .Values.commonLabels }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  {{- include "tramontane.ray.placement" (list . $head) | nindent 2 }}
  automountServiceAccountToken: {{ include "tramontane.engines.scale" . | empty | not }} # for the autoscaler alone
  terminationGracePeriodSeconds: 30
  {{- include "tramontane.ray.restart" . | nindent 2 }}
  containers:
    - name: ray-head
      image: {{ include "tramontane.engines.headImage" . }}
      imagePullPolicy: {{ .Values.images.pullPolicy }}
      ports:
        - {name: gcs-server, containerPort: 6379}
        - {name: dashboard, containerPort: 8265}
        - {name: client, containerPort: 10001}
        - {name: serve, containerPort: 8000}
        - {name: metrics, containerPort: 8080}
      env:
        {{- include "tramontane.ray.env" . | nindent 8 }}
        - {name: HF_HOME, value: /tmp/cache/huggingface}
      resources:
        {{- toYaml $head.resources | nindent 8 }}
      securityContext:
        {{- include "tramontane.containerSecurity" . | nindent 8 }}
      startupProbe:
        exec: {{ include "tramontane.ray.probe" (list "head") }}
        periodSeconds: 5
        timeoutSeconds: 10
        failureThreshold: 60 # five minutes: the image's first start on a slow disk
      livenessProbe:
        exec: {{ include "tramontane.ray.probe" $alive }}
        periodSeconds: 10
        timeoutSeconds: 10
        failureThreshold: 6 # after that minute workers give the head up themselves
      readinessProbe:
        exec: {{ include "tramontane.ray.probe" (list "head" "--dashboard") }}
        periodSeconds: 5
        timeoutSeconds: 10
        failureThreshold: 2
      volumeMounts:
        {{- include "tramontane.ray.mounts" . | nindent 8 }}
        - {name: ray, mountPath: /tmp/ray}
        {{- if include "tramontane.engines.headReadsWeights" . }}
        - {name: weights, mountPath: /weights, readOnly: true}
        {{- end }}
  volumes:
    {{- include "tramontane.ray.volumes" (list "5Gi" "1Gi") | nindent 4 }}
    # of its own, as the autoscaler's container writes its log there too
    - name: ray
      emptyDir: {sizeLimit: 10Gi}
    {{- if include "tramontane.engines.headReadsWeights" . }}
    {{- include "tramontane.weights.volume" . | nindent 4 }}
    {{- end }}
{{- end -}}

{{/* Applications are built on the head, and a model whose shape no profile states is read from its weights. */}}
{{- define "tramontane.engines.headReadsWeights" -}}
{{- range $name, $engine := .Values.engines -}}
  {{- $preset := include "tramontane.engine.preset" (list $ $name $engine) | fromYaml -}}
  {{- if and (not $preset.source) (hasPrefix "/weights/" (include "tramontane.engine.source" (list $ $name $engine))) }}true{{ end -}}
{{- end -}}
{{- end -}}
