#!/bin/sh
# An OpenTelemetry collector with the parts generated configurations use, put
# together by the project's own builder: prepare.sh OUT VERSION
set -eu
command -v go >/dev/null || { echo 'otel: go is missing' >&2; exit 1; }
here=$(dirname "$(readlink -f "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sed "s/@VERSION@/$2/" "$here/manifest.yaml" >"$work/manifest.yaml"
cd "$work"
GOFLAGS='' go run "go.opentelemetry.io/collector/cmd/builder@v$2" --config manifest.yaml >&2
cp "$work/out/otelcol" "$1/otelcol"
