#!/bin/sh
# An OpenTelemetry collector with the parts of manifest.yaml, its sources
# written by the project's own builder: prepare.sh OUT VERSION
set -eu
command -v go >/dev/null || { echo 'otel: go is missing' >&2; exit 1; }
here=$(dirname "$(readlink -f "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sed "s/@VERSION@/$2/" "$here/manifest.yaml" >"$work/manifest.yaml"
cd "$work"
# Static: the image has nothing else in it.
export GOFLAGS='' CGO_ENABLED=0
go run "go.opentelemetry.io/collector/cmd/builder@v$2" --config manifest.yaml \
  --skip-compilation --skip-get-modules >&2
# The builder would now tidy the modules, which asks for the parts' own tests
# too, and not every module of those is to be had.
cd out
go mod init live/otelcol
sed -n 's/^ *- gomod: \([^ ]*\) v\(.*\)$/-require=\1@v\2/p' ../manifest.yaml | xargs go mod edit
go mod edit -require="go.opentelemetry.io/collector/otelcol@v$2"
# The stable modules count 94 minors less: 0.155 is with 1.61.
minor=${2#*.}
stable=1.$((${minor%%.*} - 94)).${2##*.}
for provider in env file http https yaml; do
  go mod edit -require="go.opentelemetry.io/collector/confmap/provider/${provider}provider@v$stable"
done
go build -mod=mod -trimpath -ldflags '-s -w' -o "$1/otelcol" .
