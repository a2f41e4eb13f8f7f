#!/bin/sh
# MinIO and its client built from their Go modules: prepare.sh OUT VERSION
# The module proxy knows no release tags, only the newest commit's version.
set -eu
command -v go >/dev/null || { echo 'minio: go is missing' >&2; exit 1; }
GOFLAGS='' GOBIN=$1 go install -trimpath -ldflags '-s -w' "github.com/minio/minio@$2"
GOFLAGS='' GOBIN=$1 go install -trimpath -ldflags '-s -w' github.com/minio/mc@v0.0.0-20250313080218-cf909e1063a9
