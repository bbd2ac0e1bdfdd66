{{/* Where routers send besides the chart's engines: to endpoints and providers that their file names. What is an address
there is opened exactly; what is a name may be anything inside, so its port alone is opened, and not to the clouds'
metadata. Rules as YAML: (list . CONFIG), the router's whole file. */}}
{{- define "tramontane.policy.elsewhere" -}}
{{- $root := index . 0 -}}{{- $config := index . 1 -}}
{{- $addresses := dict -}}{{- $named := list -}}{{- $rays := list -}}{{- $namespaces := dict -}}
{{- $urls := list -}}
{{- range $config.models -}}{{- range .pools -}}
  {{- $found := .discovery | default dict -}}
  {{- if eq ($found.kind | default "") "static" -}}
    {{- $urls = concat $urls $found.endpoints -}}
  {{- else if eq ($found.kind | default "") "kubernetes" -}}
    {{- $namespace := $found.namespace | default $root.Release.Namespace -}}
    {{- $port := regexFind "^[0-9]+$" (toString ($found.port | default "")) -}}
    {{- $_ := set $namespaces $namespace (append (get $namespaces $namespace | default list) $port) -}}
    {{- with $found.api }}{{ $urls = append $urls . }}{{ end -}}
  {{- else if eq ($found.kind | default "") "ray" -}}
    {{- if not (hasPrefix (printf "http://%s-engines-head-svc:" (include "tramontane.fullname" $root)) $found.dashboard) -}}
      {{- $rays = append $rays (include "tramontane.policy.urlPort" $found.dashboard | int) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}{{- end -}}
{{- range $config.providers -}}
  {{- $port := include "tramontane.policy.urlPort" .url | int -}}
  {{- if or (ne $port 443) (regexMatch "^[0-9.:\\[\\]]+$" (urlParse .url).host) }}{{ $urls = append $urls .url }}{{ end -}}
{{- end -}}
{{- range $url := $urls -}}
  {{- $port := include "tramontane.policy.urlPort" $url | int -}}
  {{- $host := regexReplaceAll ":[0-9]+$" (urlParse $url).host "" -}}
  {{- if regexMatch "^[0-9]+(\\.[0-9]+){3}$" $host -}}
    {{- $_ := set $addresses (printf "%s/32 %d" $host $port) true -}}
  {{- else if hasPrefix "[" $host -}}
    {{- $_ := set $addresses (printf "%s/128 %d" ($host | trimPrefix "[" | trimSuffix "]") $port) true -}}
  {{- else if ne $host "localhost" -}}
    {{- $named = append $named $port -}}
  {{- end -}}
{{- end -}}
{{- range $address := keys $addresses | sortAlpha }}
- to: [{ipBlock: {cidr: {{ splitList " " $address | first | quote }}}}]
  ports: {{ include "tramontane.policy.ports" (list (splitList " " $address | last | int)) }}
{{- end }}
{{- range $namespace, $ports := $namespaces }}
- to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: {{ $namespace | quote }}}}}]
  {{- if has "" $ports }}
  ports: [{protocol: TCP, port: 1, endPort: 65535}] # the pods' own, which a Service's name of a port does not tell
  {{- else }}
  ports: {{ include "tramontane.policy.ports" $ports }}
  {{- end }}
{{- end }}
{{- range list $named $rays }}
{{- with . }}
- to:
    - namespaceSelector: {}
    - ipBlock: {cidr: 0.0.0.0/0, except: [168.63.129.16/32, 169.254.0.0/16]}
  ports: {{ include "tramontane.policy.ports" . }}
{{- end }}
{{- end }}
{{- with $rays }}
- to: # replicas of another Ray cluster, and its proxies
    - namespaceSelector: {}
    - ipBlock: {cidr: 0.0.0.0/0, except: [168.63.129.16/32, 169.254.0.0/16]}
  ports: [{protocol: TCP, port: 8000}, {protocol: TCP, port: 30000, endPort: 31000}]
{{- end }}
{{- end -}}
