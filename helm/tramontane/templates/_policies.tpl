{{/* What network policies are made of. Both ways are closed for every pod of the release, and opened again port by port:
a policy names all that its pods need, so nothing depends on the order in which policies come. Peers in this release are
found by their labels, the rest by addresses.

An address 0.0.0.0/0 never means the cluster's inside: whoever may go to the world may not go to a node, to another
tenant's pod or to the metadata address of the cloud by that. */}}

{{/* Whole pods of one component as a peer: (list . "router") */}}
{{- define "tramontane.policy.pods" -}}
- podSelector:
    matchLabels:
      {{- include "tramontane.selector" . | nindent 6 }}
{{- end -}}

{{/* Pods of engines of one kind (head, worker), which KubeRay writes on them: (list . "head") */}}
{{- define "tramontane.policy.ray" -}}
- podSelector:
    matchLabels:
      {{- include "tramontane.selector" (list (index . 0) "engines") | nindent 6 }}
      ray.io/node-type: {{ index . 1 }}
{{- end -}}

{{/* Names are asked of the cluster's DNS: of CoreDNS or kube-dns, of a cache on the node, or of OpenShift's. */}}
{{- define "tramontane.policy.dns" -}}
- to:
    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
      podSelector: {matchLabels: {k8s-app: kube-dns}}
    - ipBlock: {cidr: 169.254.20.10/32} # NodeLocal DNSCache
  ports:
    - {protocol: UDP, port: 53}
    - {protocol: TCP, port: 53}
- to:
    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: openshift-dns}}
  ports:
    - {protocol: UDP, port: 5353}
    - {protocol: TCP, port: 5353}
{{- end -}}

{{/* Ports as JSON: (list 80 443) */}}
{{- define "tramontane.policy.ports" -}}
{{- $ports := list -}}
{{- range . | uniq }}{{ $ports = append $ports (dict "protocol" "TCP" "port" (int .)) }}{{ end -}}
{{- toJson $ports -}}
{{- end -}}

{{/* What routers ask of replicas: answers (RAY_SERVE_DIRECT_INGRESS_MIN/MAX_HTTP_PORT), and events of their caches (two
ports a replica from kv_events.port). JSON. */}}
{{- define "tramontane.policy.enginePorts" -}}
{{- $ports := list (dict "protocol" "TCP" "port" 30000 "endPort" 31000) -}}
{{- $first := dict -}}
{{- range .Values.engines -}}
  {{- $port := dig "kv_events" "port" 0 .deployment | default 31100 | int -}}
  {{- $_ := set $first (toString $port) $port -}}
{{- end -}}
{{- range $port := $first -}}
  {{- $ports = append $ports (dict "protocol" "TCP" "port" $port "endPort" (min 65535 (add $port 99))) -}}
{{- end -}}
{{- toJson $ports -}}
{{- end -}}

{{/* Who may scrape: peers as YAML */}}
{{- define "tramontane.policy.scrapers" -}}
{{- if .Values.networkPolicy.scrapers -}}
{{- toYaml .Values.networkPolicy.scrapers -}}
{{- else -}}
- namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}
{{- end -}}
{{- end -}}

{{/* Whether an engine fetches its weights itself: "true" or nothing. */}}
{{- define "tramontane.policy.enginesFetch" -}}
{{- range $name, $engine := .Values.engines -}}
  {{- if gt (include "tramontane.engine.fetches" (list $ $name $engine) | int) 0 }}true{{ end -}}
{{- end -}}
{{- end -}}

{{/* Where weights are fetched from; empty: nowhere. Rules as YAML. */}}
{{- define "tramontane.policy.hub" -}}
{{- with .Values.networkPolicy.weightsFrom -}}
- to:
    {{- include "tramontane.policy.blocks" . | trim | nindent 4 }}
  ports: {{ include "tramontane.policy.ports" (list 443 (include "tramontane.policy.urlPort" $.Values.weights.download.endpoint | int)) }}
{{- end -}}
{{- end -}}

{{/* The API server, which no selector finds: CIDRs. A rule as YAML. */}}
{{- define "tramontane.policy.apiServer" -}}
{{- with .Values.networkPolicy.apiServers -}}
- to:
    {{- range . }}
    - ipBlock: {cidr: {{ . | quote }}{{ if eq . "0.0.0.0/0" }}, except: [168.63.129.16/32, 169.254.0.0/16]{{ end }}}
    {{- end }}
  ports: {{ include "tramontane.policy.ports" $.Values.networkPolicy.apiServerPorts }}
{{- end -}}
{{- end -}}

{{/* The port of a URL. */}}
{{- define "tramontane.policy.urlPort" -}}
{{- $url := urlParse . -}}
{{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" -}}
{{- default (ternary "80" "443" (eq $url.scheme "http")) $port -}}
{{- end -}}
