{{/* What ingress controllers must be told, so that a stream is passed on token by token, a long answer is not cut off and
a prompt with pictures is not refused. Each has its own words; `ingress.annotations` goes above them.

| controller | answers | requests | times | size |
|---|---|---|---|---|
| nginx (ingress-nginx; nginx.org's own) | not buffered | not buffered; nginx.org's buffers them | 3600 s | as the router's |
| haproxy (haproxy.org's; haproxy-ingress) | never buffers | never buffers | 3600 s; the client's is global (`timeout-client`) | as the router's; haproxy.org's has no bound |
| traefik | flushed at once when they are events | never buffers | none by default; the entry point's `readTimeout` of 60 s bounds an upload, and is static | no bound |
| alb | never buffers | never buffers | idle 3600 s | no bound |
*/}}

{{/* Annotations as YAML. (list . CONFIG), the router's whole file */}}
{{- define "tramontane.edge.annotations" -}}
{{- $root := index . 0 -}}{{- $config := index . 1 -}}
{{- $controller := $root.Values.ingress.controller -}}
{{- $tls := ($config.listen).tls -}}
{{- $size := include "tramontane.edge.bodyMebibytes" $config -}}
{{- if eq $controller "nginx" -}}
nginx.ingress.kubernetes.io/proxy-buffering: "off"
nginx.ingress.kubernetes.io/proxy-request-buffering: "off"
nginx.ingress.kubernetes.io/proxy-http-version: "1.1"
nginx.ingress.kubernetes.io/proxy-connect-timeout: "5"
nginx.ingress.kubernetes.io/proxy-read-timeout: "3600"
nginx.ingress.kubernetes.io/proxy-send-timeout: "3600"
nginx.ingress.kubernetes.io/proxy-body-size: {{ $size }}m
{{- if $tls }}
nginx.ingress.kubernetes.io/backend-protocol: HTTPS
{{- end }}
nginx.org/proxy-buffering: "False"
nginx.org/proxy-connect-timeout: 5s
nginx.org/proxy-read-timeout: 3600s
nginx.org/proxy-send-timeout: 3600s
nginx.org/client-max-body-size: {{ $size }}m
{{- else if eq $controller "haproxy" -}}
haproxy.org/timeout-server: 3600s
haproxy-ingress.github.io/timeout-server: 3600s
haproxy-ingress.github.io/proxy-body-size: {{ $size }}m
{{- if $tls }}
haproxy.org/server-ssl: "true"
haproxy-ingress.github.io/backend-protocol: h1-ssl
{{- end }}
{{- else if eq $controller "traefik" -}}
{{- if $root.Values.ingress.tlsSecret -}}
traefik.ingress.kubernetes.io/router.tls: "true"
{{- end }}
{{- else if eq $controller "alb" -}}
alb.ingress.kubernetes.io/target-type: ip # the routers' pods themselves: a node between them knows nothing of draining
alb.ingress.kubernetes.io/load-balancer-attributes: idle_timeout.timeout_seconds=3600
# a router that leaves gets nothing new, and what it has may end
alb.ingress.kubernetes.io/target-group-attributes: deregistration_delay.timeout_seconds={{ min 3600 (addf $config.listen.leave_s $config.listen.drain_s | ceil | int) }}
alb.ingress.kubernetes.io/healthcheck-port: "9090"
alb.ingress.kubernetes.io/healthcheck-path: /readyz
alb.ingress.kubernetes.io/healthcheck-interval-seconds: "5"
alb.ingress.kubernetes.io/healthcheck-timeout-seconds: "2"
alb.ingress.kubernetes.io/unhealthy-threshold-count: "2"
{{- if $tls }}
alb.ingress.kubernetes.io/backend-protocol: HTTPS
{{- end }}
{{- end -}}
{{- end -}}

{{/* The largest body that the router itself takes, in MiB, rounded up, and one more for a form around a file. */}}
{{- define "tramontane.edge.bodyMebibytes" -}}
{{- $most := dig "limits" "body_bytes" 33554432 . -}}
{{- if .database -}}
  {{- $most = max $most (dig "stored_files" "file_bytes" 104857600 .) (dig "batches" "submit_bytes" 33554432 .) -}}
{{- end -}}
{{- add1 (divf $most 1048576 | ceil | int) -}}
{{- end -}}
