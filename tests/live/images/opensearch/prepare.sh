#!/bin/sh
# OpenSearch's minimal distribution from Maven Central: prepare.sh OUT VERSION
set -eu
command -v mvn >/dev/null || { echo 'opensearch: mvn is missing' >&2; exit 1; }
archive=$(mktemp -d)
trap 'rm -rf "$archive"' EXIT
mvn -q -B -Dstyle.color=never dependency:copy \
  -Dartifact="org.opensearch.distribution.integ-test-zip:opensearch:$2:zip" \
  -DoutputDirectory="$archive"
python3 -m zipfile -e "$archive"/*.zip "$archive/tree"
mv "$archive"/tree/opensearch-* "$1/opensearch"
chmod +x "$1"/opensearch/bin/*
