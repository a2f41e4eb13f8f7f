#!/usr/bin/dumb-init /bin/sh
# As the official image: the agent gets its folders and the local configuration,
# and a root container leaves root.
# shellcheck shell=sh
set -e
case ${1:-} in
  agent)
    shift
    if [ -n "${CONSUL_LOCAL_CONFIG:-}" ]; then
      printf '%s\n' "$CONSUL_LOCAL_CONFIG" >/consul/config/local.json
    fi
    set -- agent -data-dir=/consul/data -config-dir=/consul/config \
      ${CONSUL_BIND_ADDRESS:+"-bind=$CONSUL_BIND_ADDRESS"} \
      ${CONSUL_CLIENT_ADDRESS:+"-client=$CONSUL_CLIENT_ADDRESS"} "$@"
    set -- consul "$@"
    ;;
  -*) set -- consul agent -data-dir=/consul/data -config-dir=/consul/config "$@" ;;
  consul) ;;
  *) if consul --help "$1" 2>&1 | grep -q "consul $1"; then set -- consul "$@"; fi ;;
esac
if [ "$1" = consul ] && [ "$(id -u)" = 0 ] && [ -z "${CONSUL_DISABLE_PERM_MGMT:-}" ]; then
  chown consul:consul /consul/data /consul/config 2>/dev/null || true
  exec setpriv --reuid consul --regid consul --clear-groups "$@"
fi
exec "$@"
