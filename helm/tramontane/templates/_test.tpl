{{/* Whom `helm test` asks, JSON {exists, models}: every model of the chart's own engines that takes pictures; where there
is none, the first that routers know from elsewhere; where no model takes pictures, there is no test. */}}
{{- define "tramontane.test.plan" -}}
{{- $own := list -}}{{- $some := false -}}
{{- range $model := (include "tramontane.router.config" . | fromYaml).models -}}
  {{- if has "image" ($model.input_modalities | default list) -}}
    {{- $some = true -}}
    {{- range $model.pools }}{{ if hasKey $.Values.engines .name }}{{ $own = append $own $model.id }}{{ end }}{{ end -}}
  {{- end -}}
{{- end -}}
{{- toJson (dict "exists" $some "models" ($own | uniq)) -}}
{{- end -}}
