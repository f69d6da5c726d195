{{/* What all names begin with: the release's name, and the chart's unless it is in it. Short, for more is added. */}}
{{- define "tapline.name" -}}
{{- $name := ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name) -}}
{{- $name | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{/* By what pods are found. It can never change. */}}
{{- define "tapline.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "tapline.labels" -}}
{{ include "tapline.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "tapline.image" -}}
{{ required "image.repository: where you pushed the Dockerfile's target `tapline`" .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* The port of an address. */}}
{{- define "tapline.port" -}}
{{ splitList ":" . | last }}
{{- end }}

{{/* Prometheus that goes by annotations asks the pod by its address, which the collector takes. */}}
{{- define "tapline.scrape" -}}
prometheus.io/scrape: "true"
prometheus.io/path: /metrics
prometheus.io/port: {{ include "tapline.port" .health.listen | quote }}
{{- end }}

{{/* What agent and central pods have in common. */}}
{{- define "tapline.pod" -}}
serviceAccountName: {{ include "tapline.name" . }}
automountServiceAccountToken: false
# Services of the namespace would become variables TAPLINE_….
enableServiceLinks: false
# A stop takes seconds, and most of a minute with sinks, brokers and anchors that do not answer.
terminationGracePeriodSeconds: 60
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  # Secrets are read by this group. The ledger's volume gets it once: the kubelet would open keys to it each time.
  fsGroup: 1000
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "tapline.container" -}}
image: {{ include "tapline.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext: {{ include "tapline.confined" . | nindent 2 }}
{{- end }}

{{- define "tapline.confined" -}}
readOnlyRootFilesystem: true
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
{{- end }}

{{/* /healthz answers before the ledger is open, /readyz from then on. A sink that is down makes neither fail. */}}
{{- define "tapline.probes" -}}
startupProbe:
  httpGet: {path: /healthz, port: health}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /healthz, port: health}
  periodSeconds: 10
  timeoutSeconds: 10
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /readyz, port: health}
  periodSeconds: 10
  timeoutSeconds: 5
{{- end }}
