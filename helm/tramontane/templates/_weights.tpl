{{/* The claim that weights lie on: who mounts it, who fills it, who waits for it. */}}

{{- define "tramontane.weights.claim" -}}
{{- default (include "tramontane.name" (list . "weights")) .Values.weights.existingClaim -}}
{{- end -}}

{{/* As pods that read it mount it. */}}
{{- define "tramontane.weights.volume" -}}
- name: weights
  persistentVolumeClaim:
    claimName: {{ include "tramontane.weights.claim" . }}
    readOnly: true
{{- end -}}

{{/* An engine's pod waits for its folder. For one that the job fills: until the job's mark is in it, as files appear one by
one. For one that somebody filled: it must be there. The wait has an end, after which the pod begins anew, so that what is
wrong is seen in its state: (list . NAME ENGINE SOURCE) */}}
{{- define "tramontane.weights.wait" -}}
{{- $root := index . 0 -}}{{- $name := index . 1 -}}{{- $engine := index . 2 -}}{{- $source := index . 3 -}}
{{- $workers := include "tramontane.engine.workers" (list $root $engine) | fromYaml -}}
{{- $arguments := list "--folder" $source "--seconds" (mul $workers.startMinutes 60 | toString) -}}
{{- if $root.Values.weights.download.enabled -}}
  {{- range $root.Values.weights.download.models -}}
    {{- if eq (printf "/weights/%s" .folder) ($source | trimSuffix "/") -}}
      {{- $arguments = concat $arguments (list "--repository" .repository "--revision" (.revision | default "main")) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
- name: wait-for-weights
  image: {{ include "tramontane.engine.image" (list $root $name $engine) }}
  imagePullPolicy: {{ $root.Values.images.pullPolicy }}
  command: [python, -m, deploy.chart.await_weights]
  args: {{ toJson $arguments }}
  resources:
    requests: {cpu: 10m, memory: 64Mi}
    limits: {memory: 256Mi}
  securityContext:
    {{- include "tramontane.containerSecurity" $root | nindent 4 }}
  volumeMounts:
    - {name: weights, mountPath: /weights, readOnly: true}
{{- end -}}

{{/* The job's spec: a job cannot be changed, so its name has a digest of this in it. */}}
{{- define "tramontane.weights.job" -}}
{{- $download := .Values.weights.download -}}
backoffLimit: 6 # each try goes on where the last one ended
activeDeadlineSeconds: 86400
template:
  metadata:
    labels:
      {{- include "tramontane.selector" (list . "weights") | nindent 6 }}
      {{- with .Values.commonLabels }}{{ toYaml . | nindent 6 }}{{ end }}
  spec:
    {{- with include "tramontane.pullSecrets" . | trim }}
    {{- . | nindent 4 }}
    {{- end }}
    restartPolicy: Never # a failed pod stays, with its log
    automountServiceAccountToken: false
    enableServiceLinks: false
    terminationGracePeriodSeconds: 30
    securityContext:
      # as engines, whose files they become
      {{- include "tramontane.podSecurity" (dict "uid" 1000) | nindent 6 }}
    containers:
      - name: download
        image: {{ include "tramontane.image" (list . .Values.images.router) }}
        imagePullPolicy: {{ .Values.images.pullPolicy }}
        command: [python, -m, deploy.chart.download]
        args:
          - --endpoint={{ $download.endpoint }}
          - --folder=/weights
          {{- with $download.tokenSecret }}
          - --token-file=/etc/tramontane/secrets/{{ . }}/token
          {{- end }}
          {{- range $download.models }}
          - --model={{ toJson . }}
          {{- end }}
        resources:
          {{- toYaml $download.resources | nindent 10 }}
        securityContext:
          {{- include "tramontane.containerSecurity" . | nindent 10 }}
        volumeMounts:
          - {name: weights, mountPath: /weights}
          {{- with $download.tokenSecret }}
          - {name: token, mountPath: {{ printf "/etc/tramontane/secrets/%s" . | quote }}, readOnly: true}
          {{- end }}
          - {name: tmp, mountPath: /tmp}
    volumes:
      - name: weights
        persistentVolumeClaim:
          claimName: {{ include "tramontane.weights.claim" . }}
      {{- with $download.tokenSecret }}
      - name: token
        secret:
          secretName: {{ . }}
          defaultMode: 0440
          items: [{key: token, path: token}]
      {{- end }}
      - name: tmp
        emptyDir: {sizeLimit: 64Mi}
{{- end -}}
