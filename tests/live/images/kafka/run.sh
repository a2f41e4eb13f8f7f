#!/bin/bash
# As the official image: settings from KAFKA_* (or the files of
# /mnt/shared/config), the storage formatted once, then the server.
set -eu
config=/opt/kafka/config/server.properties
if [ -e /mnt/shared/config/server.properties ]; then
  cp /mnt/shared/config/server.properties "$config"
fi
settings=$(
  env | while IFS='=' read -r name value; do
    case $name in
      KAFKA_HEAP_OPTS | KAFKA_OPTS | KAFKA_LOG4J_* | KAFKA_JMX_* | KAFKA_JVM_* | KAFKA_VERSION | KAFKA_GC_*) continue ;;
      KAFKA_*) ;;
      *) continue ;;
    esac
    # ___ is a dash, __ an underscore, _ a dot.
    key=$(printf '%s' "${name#KAFKA_}" | tr '[:upper:]' '[:lower:]' |
      sed -e 's/___/-/g' -e 's/__/\x01/g' -e 's/_/./g' -e 's/\x01/_/g')
    printf '%s=%s\n' "$key" "$value"
  done
)
if [ -n "$settings" ]; then
  # With any setting of its own the image starts from an empty configuration.
  if [ ! -e /mnt/shared/config/server.properties ]; then : >"$config"; fi
  printf '%s\n' "$settings" >>"$config"
fi
/opt/kafka/bin/kafka-storage.sh format --ignore-formatted \
  --cluster-id "${CLUSTER_ID:-5L6g3nShT-eMCtK--X86sw}" --config "$config"
exec /opt/kafka/bin/kafka-server-start.sh "$config"
