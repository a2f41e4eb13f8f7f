#!/bin/sh
# The official image's server has the protected mode off unless a configuration
# says otherwise; Debian's has it on.
for argument in "$@"; do
  case $argument in *protected-mode*) exec /usr/bin/redis-server "$@" ;; esac
done
if [ -f "${1:-}" ] && grep -q '^ *protected-mode' "$1"; then exec /usr/bin/redis-server "$@"; fi
exec /usr/bin/redis-server "$@" --protected-mode no
