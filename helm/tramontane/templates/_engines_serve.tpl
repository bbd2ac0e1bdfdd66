{{/* What Ray Serve is told: one application for each engine, whose arguments are the keys of its deployment. KubeRay
applies a change of this text to the running cluster, without another one. */}}

{{- define "tramontane.engines.serveConfig" -}}
{{- $applications := list -}}
{{- range $name, $engine := .Values.engines -}}
  {{- $applications = append $applications (include "tramontane.engine.application" (list $ $name $engine) | fromYaml) -}}
{{- end -}}
# Ray's own proxy is asked by nobody but to wake an application that has scaled to zero; its host is also the replicas'.
{{ toYaml (dict
  "proxy_location" "HeadOnly"
  "http_options" (dict "host" "0.0.0.0" "port" 8000)
  "applications" $applications) }}
{{- end -}}

{{/* One application: (list . NAME ENGINE)

Serve replaces every replica when `args` change. How many replicas there are is therefore said beside them, under
`deployments`, which Serve changes in place: another number, or other bounds, touches no replica that stays. (Switching
scaling on or off is another application to Serve all the same.) */}}
{{- define "tramontane.engine.application" -}}
{{- $name := index . 1 -}}{{- $engine := index . 2 -}}{{- $deployment := $engine.deployment -}}
{{- $args := omit (deepCopy $deployment) "replicas" "autoscaling" -}}
{{- $_ := set $args "application" $name -}}
{{- with include "tramontane.engine.source" . }}{{ $_ := set $args "source" . }}{{ end -}}
{{- /* a fixed port, as network policies open it; one pod holds one replica */ -}}
{{- if not (dig "kv_events" "port" 0 $deployment) -}}
  {{- $_ := set $args "kv_events" (merge (dict "port" 31100) ($args.kv_events | default dict)) -}}
{{- end -}}
{{- $own := dict
  "name" (printf "engine:%s" $deployment.model)
  "placement_group_bundles" (include "tramontane.engine.bundles" . | fromYamlArray) -}}
{{- if $deployment.autoscaling -}}
  {{- $_ := set $own "num_replicas" "auto" -}}
  {{- $_ := set $own "autoscaling_config" (merge (deepCopy $deployment.autoscaling) (include "tramontane.engine.scalingDefaults" . | fromYaml)) -}}
  {{- /* zero is empty to merge, which would put the default in its place */ -}}
  {{- $_ := set $own.autoscaling_config "min_replicas" (dig "min_replicas" 1 $deployment.autoscaling | int) -}}
{{- else -}}
  {{- $_ := set $own "num_replicas" ($deployment.replicas | default 1 | int) -}}
{{- end -}}
{{- toYaml (dict
  "name" $name
  "route_prefix" ($deployment.route_prefix | default (printf "/%s" $name))
  "import_path" "serving.app:build"
  "args" $args
  "deployments" (list $own)) -}}
{{- end -}}

{{/* Of serving/config.py's Autoscaling: Ray's own defaults, which would hold here, are for other work. */}}
{{- define "tramontane.engine.scalingDefaults" -}}
min_replicas: 1
target_ongoing_requests: 32
upscale_delay_s: 10
downscale_delay_s: 600
{{- end -}}

{{/* What Ray must find room for: serving/placement.py's bundles with the replica itself in the first, as Serve puts it
there, and in each a share of a resource that only this engine's pods have. Without that, a small engine would take a
place in a larger one's pod, and the larger one would wait for ever: (list . NAME ENGINE) */}}
{{- define "tramontane.engine.bundles" -}}
{{- $deployment := (index . 2).deployment -}}
{{- $preset := include "tramontane.engine.preset" . | fromYaml -}}
{{- $sizes := include "tramontane.engine.sizes" . | fromYaml -}}
{{- $bundles := list -}}
{{- range $number := until (int $sizes.workers) -}}
  {{- $cpus := $deployment.cpus_per_worker | default 1 -}}
  {{- if eq $number 0 }}{{ $cpus = addf $cpus ($deployment.cpus_per_replica | default 1) }}{{ end -}}
  {{- $bundle := dict "CPU" $cpus (include "tramontane.engine.resource" $) 1 -}}
  {{- if $preset.gpu }}{{ $_ := set $bundle "GPU" 1 }}{{ end -}}
  {{- if $preset.accelerator }}{{ $_ := set $bundle (printf "accelerator_type:%s" $preset.accelerator) 0.001 }}{{ end -}}
  {{- $bundles = append $bundles $bundle -}}
{{- end -}}
{{- toYaml $bundles -}}
{{- end -}}

{{/* Ray's name of the resource that only this engine's pods have: (list . NAME ENGINE) */}}
{{- define "tramontane.engine.resource" -}}
{{- printf "engine-%s" (index . 1) -}}
{{- end -}}
