#!/usr/bin/env bash
# Makes the topics that are not there yet. What a topic has is left as it is.
set -euo pipefail

topic() { # name, partitions, then its configuration
  local name=$1 partitions=$2 arguments=()
  shift 2
  for setting in "$@"; do arguments+=(--config "$setting"); done
  "${TOPICS:-/opt/kafka/bin/kafka-topics.sh}" --bootstrap-server "$BOOTSTRAP" --create --if-not-exists \
    --topic "$name" --partitions "$partitions" --replication-factor 1 "${arguments[@]}"
}

topic order-events 3 retention.ms=604800000
topic order-events.books.dead-letter 1 retention.ms=1209600000
