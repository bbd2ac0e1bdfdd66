{{/* What no cluster could run, or what cannot be meant, is refused before anything is made, all of it at once, each with a
sentence that names the value and says what to change. The schema (values.schema.json) has refused typos and wrong types by
then. A rule is an `if` with its sentence: what stands in this file's output is what is wrong. */}}

{{- define "tramontane.validations" -}}
{{- $presets := .Files.Get "files/presets.yaml" | fromYaml -}}
{{- $said := list -}}
{{- range list
    (include "tramontane.validations.serving" .)
    (include "tramontane.validations.names" .)
    (include "tramontane.validations.accounts" .)
    (include "tramontane.validations.router" .)
    (include "tramontane.validations.edge" .)
    (include "tramontane.validations.ray" .)
    (include "tramontane.validations.weights" (list . $presets))
    (include "tramontane.validations.engines" (list . $presets))
    (include "tramontane.validations.scaledEngines" .) -}}
  {{- range splitList "\n" . }}{{ with trim . }}{{ $said = append $said (printf "- %s" .) }}{{ end }}{{ end -}}
{{- end -}}
{{- with $said }}{{ fail (printf "these values cannot be installed:\n%s\n" (join "\n" .)) }}{{ end -}}
{{- end -}}

{{- define "tramontane.validations.serving" -}}
{{- if not (or .Values.engines .Values.router.models .Values.router.config.models) }}
engines is empty, and so is router.models: there is nothing to serve. The smallest values file is one line: `engines: {pocket: {deployment: {model: pocket, preset: cpu}}}` without a GPU, `engines: {mistral: {deployment: {model: mistral-small-3.1-24b, preset: h200}}}` with one H200; the chart's folder ci has others
{{- end }}
{{- end -}}

{{- define "tramontane.validations.names" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := default (contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name)) .Values.fullnameOverride -}}
{{- if gt (len $full) 30 }}
the release's name gives objects called {{ $full }}, of {{ len $full }} characters, and KubeRay leaves room for 30: use a shorter release name, or set fullnameOverride
{{- else if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $full) }}
objects would be called {{ $full }}, and a Service's name must begin with a lower-case letter and hold lower-case letters, digits and dashes: use another release name, or set fullnameOverride
{{- end }}
{{- range $key, $image := pick .Values.images "router" "engine" "engineCpu" "postgresql" }}
{{- if and (eq $image.tag "latest") (not $image.digest) }}
images.{{ $key }}.tag is latest, which is another image every day: name a version, or leave it empty for the chart's
{{- end }}
{{- end }}
{{- end -}}

{{- define "tramontane.validations.accounts" -}}
{{- $database := .Values.database -}}{{- $config := .Values.router.config -}}
{{- $own := ($config.database).url -}}
{{- $has := or $database.external.secret $database.embedded.enabled $own -}}
{{- if and $database.external.secret $database.embedded.enabled }}
database: external.secret and embedded.enabled are both set; keep one of them (the embedded one is for trials)
{{- end }}
{{- if and $own (or $database.external.secret $database.embedded.enabled) }}
router.config.database.url and the values' database are both set; keep one of them
{{- end }}
{{- if and $own (hasPrefix "sqlite" ($own.value | default "")) (gt (include "tramontane.validations.mostRouters" . | int) 1) }}
router.config.database.url: SQLite is a file of one router, and there can be {{ include "tramontane.validations.mostRouters" . }} routers, each of which would count budgets alone: set database.embedded.enabled or database.external.secret, or router.replicas: 1
{{- end }}
{{- if not (or $has .Values.router.callers $config.keys $config.oidc $config.allow_anonymous) }}
router.callers is empty and there is no database, so nobody could call: name callers, or set database.external.secret (or database.embedded.enabled for a trial)
{{- end }}
{{- end -}}

{{/* Routers there can be at a time. */}}
{{- define "tramontane.validations.mostRouters" -}}
{{- $scaling := .Values.router.autoscaling -}}
{{- eq $scaling.kind "none" | ternary .Values.router.replicas $scaling.maxReplicas | int -}}
{{- end -}}

{{- define "tramontane.validations.edge" -}}
{{- $gateway := .Values.gateway -}}{{- $ingress := .Values.ingress -}}
{{- if and $ingress.enabled (not $ingress.host) }}
ingress.host is empty: an Ingress without a host would take every other name's requests too; name yours
{{- end }}
{{- if and $gateway.enabled (not $gateway.parents) }}
gateway.parents is empty: a route belongs to a Gateway; name it, e.g. [{name: public, namespace: gateways}]
{{- end }}
{{- if and $gateway.inferencePool.enabled (not $gateway.inferencePool.endpointPicker.name) }}
gateway.inferencePool.endpointPicker.name is empty: a Gateway asks an endpoint picker for every request to a pool; name its Service, or set gateway.inferencePool.enabled: false
{{- end }}
{{- if and $gateway.inferencePool.enabled (not $gateway.enabled) }}
gateway.inferencePool.enabled is true, but gateway.enabled is false, so that nothing is made: set gateway.enabled: true
{{- end }}
{{- if and $gateway.parents (not $gateway.enabled) }}
gateway.parents is set, but gateway.enabled is false, so that nothing is made: set gateway.enabled: true
{{- end }}
{{- if and $ingress.host (not $ingress.enabled) }}
ingress.host is set, but ingress.enabled is false, so that nothing is made: set ingress.enabled: true
{{- end }}
{{- end -}}

{{- define "tramontane.validations.ray" -}}
{{- $gcs := .Values.ray.gcsFaultTolerance -}}{{- $upgrade := .Values.ray.upgrade -}}
{{- if and (eq $gcs.backend "redis") (not $gcs.redis.address) }}
ray.gcsFaultTolerance.redis.address is empty: backend redis needs one, as host:port
{{- end }}
{{- if and (ne $gcs.backend "redis") $gcs.redis.address }}
ray.gcsFaultTolerance.redis.address is set, but backend is {{ $gcs.backend }}, which does not use it: set backend: redis
{{- end }}
{{- if and (eq $upgrade.type "Incremental") (not $upgrade.gatewayClassName) }}
ray.upgrade.gatewayClassName is empty: type Incremental moves traffic by a Gateway; name its class, or use NewCluster
{{- end }}
{{- if and (ne $upgrade.type "Incremental") $upgrade.gatewayClassName }}
ray.upgrade.gatewayClassName is set, but type is {{ $upgrade.type }}, which does not use it: set type: Incremental
{{- end }}
{{- end -}}
