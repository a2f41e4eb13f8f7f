#!/bin/sh
# Consul built from its Go module: prepare.sh OUT VERSION
set -eu
command -v go >/dev/null || { echo 'consul: go is missing' >&2; exit 1; }
source=$(mktemp -d)
trap 'rm -rf "$source"' EXIT
module=$(go mod download -json "github.com/hashicorp/consul@v$2" | sed -n 's/^\t"Dir": "\(.*\)",\{0,1\}$/\1/p')
cp -r --no-preserve=mode "$module/." "$source"
# Its submodules are replaced by folders that the module's archive leaves out;
# the versions it requires are published.
sed -i '/=>/d' "$source/go.mod"
cd "$source"
GOFLAGS='' go build -mod=mod -trimpath -ldflags "-s -w \
  -X github.com/hashicorp/consul/version.GitCommit=module" -o "$1/consul" .
