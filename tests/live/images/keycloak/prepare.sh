#!/bin/sh
# Keycloak's distribution from Maven Central: prepare.sh OUT VERSION
set -eu
command -v mvn >/dev/null || { echo 'keycloak: mvn is missing' >&2; exit 1; }
archive=$(mktemp -d)
trap 'rm -rf "$archive"' EXIT
mvn -q -B -Dstyle.color=never dependency:copy -Dartifact="org.keycloak:keycloak-quarkus-dist:$2:zip" \
  -DoutputDirectory="$archive"
python3 -m zipfile -e "$archive"/*.zip "$archive/tree"
mv "$archive"/tree/keycloak-* "$1/keycloak"
chmod +x "$1"/keycloak/bin/*.sh
