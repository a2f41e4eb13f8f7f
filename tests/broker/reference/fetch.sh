#!/usr/bin/env bash
# Apache Kafka, the broker ours is held against: fetch.sh [VERSION] prints the folder it is in.
#
# The jars come from Maven Central once (54 MB) and stay in ARCHC_REFERENCE_HOME (default:
# archc-reference in the user's cache folder), never in the repository. What is printed can be given to whatever
# wants a KAFKA_PATH: bin/ has Kafka's commands, libs/ its jars. Needs Maven, and Java 17 or newer.
set -euo pipefail

version=${1:-4.1.1}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
recipe=$here/../../live/images/kafka
home=${ARCHC_REFERENCE_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/archc-reference}
kafka=$home/kafka-$version

for program in mvn java; do
  command -v "$program" >/dev/null || { echo "fetch: $program is missing" >&2; exit 3; }
done
mkdir -p "$home"
exec 9>"$kafka.lock"
flock 9
if [ ! -d "$kafka/libs" ]; then
  fresh=$(mktemp -d "$kafka.XXXXXX")
  trap 'rm -rf "$fresh"' EXIT
  sh "$recipe/prepare.sh" "$fresh" "$version" >&2
  mkdir -p "$kafka"
  mv "$fresh/libs" "$kafka/libs"
fi

# The commands are made anew at each call: they are only links, and the script behind them may have changed.
mkdir -p "$kafka/bin" "$kafka/config"
cp "$recipe/log4j2.xml" "$kafka/config/log4j2.xml"
{
  echo '#!/bin/bash'
  echo "export KAFKA_HOME='$kafka'"
  echo "export KAFKA_LOG4J_OPTS=\${KAFKA_LOG4J_OPTS:--Dlog4j2.configurationFile=$kafka/config/log4j2.xml}"
  tail -n +2 "$recipe/class.sh"
} >"$kafka/bin/kafka-run-class.sh"
chmod +x "$kafka/bin/kafka-run-class.sh"
for tool in $(sed -n 's/^  \(kafka-[a-z-]*\)).*/\1/p' "$recipe/class.sh"); do
  ln -sf kafka-run-class.sh "$kafka/bin/$tool.sh"
done
echo "$kafka"
