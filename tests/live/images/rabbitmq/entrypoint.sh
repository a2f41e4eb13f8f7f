#!/bin/bash
set -e
if [ "$1" = rabbitmq-server ] && [ "$(id -u)" = 0 ]; then
  find /var/lib/rabbitmq \! -user rabbitmq -exec chown rabbitmq '{}' +
  exec setpriv --reuid rabbitmq --regid rabbitmq --init-groups "$0" "$@"
fi
for name in RABBITMQ_DEFAULT_USER RABBITMQ_DEFAULT_PASS RABBITMQ_DEFAULT_VHOST; do
  file=${name}_FILE
  if [ -n "${!file:-}" ]; then
    echo "error: $file is set, but the official image no longer reads it" >&2
    exit 1
  fi
done
exec "$@"
