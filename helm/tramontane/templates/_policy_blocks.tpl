{{/* CIDRs as peers, without what is private within them: arithmetic on addresses, as a policy takes exceptions only in
ranges that lie inside its own. */}}

{{/* What "the world" is not: RFC 6890's ranges that are not global, shared space (pods and nodes of some clouds, 100.64/10),
metadata and control addresses of clouds (169.254/16; Azure's 168.63.129.16, which looks public), class E (pods, too). */}}
{{- define "tramontane.policy.private" -}}
- 0.0.0.0/8
- 10.0.0.0/8
- 100.64.0.0/10
- 127.0.0.0/8
- 168.63.129.16/32
- 169.254.0.0/16
- 172.16.0.0/12
- 192.0.0.0/24
- 192.168.0.0/16
- 198.18.0.0/15
- 224.0.0.0/4
- 240.0.0.0/4
{{- end -}}

{{/* CIDRs → peers as YAML */}}
{{- define "tramontane.policy.blocks" -}}
{{- $private := include "tramontane.policy.private" . | fromYamlArray -}}
{{- range $cidr := . }}
- ipBlock:
    cidr: {{ $cidr | quote }}
    {{- $within := list -}}
    {{- if eq $cidr "::/0" -}}
      {{- $within = list "fc00::/7" "fe80::/10" "ff00::/8" -}}
    {{- else if not (contains ":" $cidr) -}}
      {{- range $private }}{{ if include "tramontane.policy.isWithin" (list . $cidr) }}{{ $within = append $within . }}{{ end }}{{ end -}}
    {{- end -}}
    {{- with $within }}
    except: {{ toJson . }}
    {{- end }}
{{- end }}
{{- end -}}

{{/* Whether one range lies in another and is smaller: (list INNER OUTER), IPv4 → "true" or nothing */}}
{{- define "tramontane.policy.isWithin" -}}
{{- $inner := splitList "/" (index . 0) -}}{{- $outer := splitList "/" (index . 1) -}}
{{- $bits := last $outer | int -}}
{{- if lt $bits (last $inner | int) -}}
  {{- $one := include "tramontane.policy.network" (list (first $inner) $bits) -}}
  {{- if eq $one (include "tramontane.policy.network" (list (first $outer) $bits)) }}true{{ end -}}
{{- end -}}
{{- end -}}

{{/* The first bits of an address as a number: (list "10.0.0.0" 8) → 10 */}}
{{- define "tramontane.policy.network" -}}
{{- $number := 0 -}}
{{- range splitList "." (index . 0) }}{{ $number = add (mul $number 256) (int .) }}{{ end -}}
{{- range until (int (sub 32 (index . 1))) }}{{ $number = div $number 2 }}{{ end -}}
{{- $number -}}
{{- end -}}
