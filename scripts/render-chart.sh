#!/usr/bin/env bash
# Renders the chart with each values file of deploy/rendered, beside it. Needs Helm, or Go to build it with.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! command -v helm > /dev/null; then
  export GOBIN="${XDG_CACHE_HOME:-$HOME/.cache}/millrace/go"
  PATH="$GOBIN:$PATH"
  command -v helm > /dev/null || go install helm.sh/helm/v3/cmd/helm@v3.19.0
fi
for values in deploy/rendered/*.values.yaml; do
  helm lint --quiet --strict deploy/helm/millrace --values "$values"
  helm template payments deploy/helm/millrace --namespace streams --values "$values" > "${values%.values.yaml}.yaml"
done
