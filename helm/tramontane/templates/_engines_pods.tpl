{{/* What pods of Ray have in common; _engines_head.tpl and _engines_worker.tpl have the rest.

Images have a root that is read only: all that is written lies on the scratch volume at /tmp, in the home directory, or in
shared memory. */}}

{{/* Environment of every container of Ray: serving/environment.py's EVERY_CLUSTER (a test compares), the ports of
replicas that network policies open, and folders that can be written. The token comes from KubeRay (authOptions). At
SIGTERM Ray need not drain for half a minute once more: `serving.leave` has done so, and the head has no engine. A port
need not rest for minutes after its replica: a pod's next one is of the same engine, and the monitor asks the first port. */}}
{{- define "tramontane.ray.env" -}}
- {name: RAY_SERVE_ENABLE_DIRECT_INGRESS, value: "1"}
- {name: RAY_SERVE_LLM_ENABLE_DIRECT_STREAMING, value: "1"}
- {name: RAY_SERVE_FORCE_STOP_UNHEALTHY_REPLICAS, value: "1"}
- {name: RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S, value: "6"}
- {name: RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD, value: "0"}
- {name: RAY_process_group_cleanup_enabled, value: "1"}
- {name: RAY_worker_niceness, value: "0"}
- {name: RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S, value: "0"}
- {name: RAY_SERVE_PORT_QUARANTINE_S, value: "0"}
- {name: RAY_AUTH_MODE, value: token}
- {name: RAY_USAGE_STATS_ENABLED, value: "0"}
- {name: RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT, value: "30000"}
- {name: RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT, value: "31000"}
- {name: HOME, value: /home/ray}
- {name: TMPDIR, value: /tmp}
- {name: XDG_CACHE_HOME, value: /tmp/cache}
- {name: VLLM_CACHE_ROOT, value: /tmp/cache/vllm}
- {name: TRITON_CACHE_DIR, value: /tmp/cache/triton}
{{- end -}}

{{/* Volumes that every pod of Ray writes to: (list SCRATCH SHARED-MEMORY), sizes */}}
{{- define "tramontane.ray.volumes" -}}
- name: scratch
  emptyDir: {sizeLimit: {{ index . 0 }}}
- name: home
  emptyDir: {sizeLimit: 1Gi}
- name: shared-memory
  emptyDir: {medium: Memory, sizeLimit: {{ index . 1 }}}
{{- end -}}

{{- define "tramontane.ray.mounts" -}}
- {name: scratch, mountPath: /tmp}
- {name: home, mountPath: /home/ray}
- {name: shared-memory, mountPath: /dev/shm}
{{- end -}}

{{/* `python -m serving.probe`, as JSON: (list "head" "--dashboard") */}}
{{- define "tramontane.ray.probe" -}}
{{- toJson (dict "command" (concat (list "python" "-m" "serving.probe") .)) -}}
{{- end -}}

{{/* Where pods go, and as whom they run: (list . WORKERS-OR-HEAD) */}}
{{- define "tramontane.ray.placement" -}}
{{- $root := index . 0 -}}{{- $given := index . 1 -}}
{{- with include "tramontane.pullSecrets" $root | trim }}
{{- . }}
{{ end -}}
serviceAccountName: {{ default (include "tramontane.name" (list $root "engines")) $root.Values.serviceAccount.engines }}
enableServiceLinks: false
securityContext:
  {{- include "tramontane.podSecurity" (dict "uid" 1000) | nindent 2 }}
{{- range $key := list "nodeSelector" "tolerations" "affinity" "topologySpreadConstraints" "runtimeClassName" "priorityClassName" }}
{{- with get $given $key }}
{{ toYaml (dict $key .) }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Under the autoscaler a Ray node that ended must not come back under its name, which it counts by: KubeRay makes another
pod instead. */}}
{{- define "tramontane.ray.restart" -}}
restartPolicy: {{ ternary "Never" "Always" (not (empty (include "tramontane.engines.scale" .))) }}
{{- end -}}
