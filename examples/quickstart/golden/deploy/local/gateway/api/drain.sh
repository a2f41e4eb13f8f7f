#!/bin/bash
# Runs Envoy. When it is told to stop, it says that it is no longer well, finishes what it is doing, and ends.
# Envoy on its own would drop whatever is under way.
set -u

admin() { # method, path: what the administration interface answers
  exec 3<>"/dev/tcp/127.0.0.1/9901" || return
  printf '%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n' "$1" "$2" >&3
  cat <&3
  exec 3>&-
}

is_busy() {
  [[ ! $(admin GET '/stats?filter=^http\.ingress\.downstream_rq_active$') =~ rq_active:\ 0 ]]
}

drain() {
  trap '' TERM INT
  admin POST /healthcheck/fail >/dev/null
  admin POST '/drain_listeners?graceful&skip_exit' >/dev/null
  # As long as it takes others to notice; then as long as there is something to do, up to a limit.
  sleep 3
  for ((second = 0; second < 25; second++)); do
    is_busy || break
    sleep 1
  done
  kill -TERM "$envoy"
}

envoy -c "${1:-/etc/envoy/envoy.yaml}" --disable-hot-restart --concurrency 2 --drain-time-s 25 &
envoy=$!
trap drain TERM INT
# A signal ends the waiting before Envoy has ended.
while :; do
  wait "$envoy"
  status=$?
  kill -0 "$envoy" 2>/dev/null || exit "$status"
done
