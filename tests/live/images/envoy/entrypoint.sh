#!/bin/sh
set -e
case ${1:-} in '' | -*) set -- envoy "$@" ;; esac
if [ "$1" = envoy ] && [ -n "${loglevel:-}" ]; then set -- "$@" --log-level "$loglevel"; fi
if [ "$(id -u)" = 0 ] && [ "${ENVOY_UID:-101}" != 0 ]; then
  [ "${ENVOY_UID:-101}" = 101 ] || usermod -u "$ENVOY_UID" envoy
  [ "${ENVOY_GID:-101}" = 101 ] || groupmod -g "$ENVOY_GID" envoy
  exec setpriv --reuid envoy --regid envoy --clear-groups "$@"
fi
exec "$@"
