#!/bin/sh
# Zipkin's server, one jar from Maven Central: prepare.sh OUT VERSION
set -eu
command -v mvn >/dev/null || { echo 'zipkin: mvn is missing' >&2; exit 1; }
mvn -q -B -Dstyle.color=never dependency:copy -Dartifact="io.zipkin:zipkin-server:$2:jar:exec" \
  -DoutputDirectory="$1" -Dmdep.stripVersion=true
mv "$1"/zipkin-server*.jar "$1/zipkin.jar"
