#!/usr/bin/env bash
# A Docker engine with Compose v2 for the live tests, apart from any engine of
# the machine: its own programs, data, socket and client configuration, all
# under one folder. The stand-in images carry the names of well-known images,
# so they must never get into the engine somebody works with.
#
#   engine.sh start          install what is missing, start, wait until ready
#   engine.sh stop           stop it by its pid
#   engine.sh status         exit 0 when it answers
#   engine.sh env            shell lines that point docker at it (for eval)
#   engine.sh remove         stop it and delete its folder
#
# ARCHC_LIVE_HOME    its folder (default: ~/.cache/archc-live, or below
#                    XDG_CACHE_HOME)
# ARCHC_LIVE_SUITE   the Debian release its programs come from (default: trixie;
#                    older ones have Compose v1 and an engine too old for
#                    health-check start intervals and named build contexts)
set -euo pipefail

home=${ARCHC_LIVE_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/archc-live}
suite=${ARCHC_LIVE_SUITE:-trixie}
tools=$home/tools
socket=$home/run/docker.sock
pidfile=$home/run/docker.pid
log=$home/run/dockerd.log
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
private_apt=(
  -o "Dir::Etc::sourcelist=$home/apt/sources.list"
  -o "Dir::Etc::sourceparts=/dev/null"
  -o "Dir::State=$home/apt/state"
  -o "Dir::Cache=$home/apt/cache"
  -o "APT::Sandbox::User=root"
)

say() { printf 'engine: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# What the machine itself lacks, from its own release.
need_package() {
  command -v "$1" >/dev/null && return
  say "installing $2"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "$2" >/dev/null
}

# Debian's mirror as this machine knows it, so that none is named here.
# shellcheck disable=SC2016 # apt's own $(...)
mirror() {
  apt-get indextargets --format '$(REPO_URI) $(COMPONENT)' 'Created-By: Packages' |
    awk '$2 == "main" { print $1; exit }'
}

install_tools() {
  [ -e "$tools/.complete" ] && return
  [ "$(id -u)" = 0 ] || die 'a Docker engine needs root'
  command -v apt-get >/dev/null || die 'this harness gets its programs from Debian packages'
  [ -r "$keyring" ] || die 'the package debian-archive-keyring is missing'
  need_package iptables iptables
  local debs=$home/apt/debs deb from libc
  rm -rf "$tools" "$debs"
  mkdir -p "$tools" "$debs" "$home/apt/state/lists/partial" \
    "$home/apt/cache/archives/partial"
  from=$(mirror)
  [ -n "$from" ] || die 'no Debian mirror in the apt configuration'
  printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$from" "$suite" \
    >"$home/apt/sources.list"
  say "fetching the engine and Compose from Debian $suite"
  apt-get "${private_apt[@]}" -qq update
  (cd "$debs" && apt-get "${private_apt[@]}" -qq download \
    docker.io docker-cli containerd runc tini docker-compose docker-buildx)
  for deb in "$debs"/*.deb; do dpkg-deb -x "$deb" "$tools"; done
  # Debian 12's own runc gives a tmpfs over a folder of the image the folder's
  # mode whatever mode= says, so the newer one is run with the libc it wants.
  if ! "$tools/usr/sbin/runc" --version >/dev/null 2>&1; then
    need_package patchelf patchelf
    rm -f "$debs"/*
    (cd "$debs" && apt-get "${private_apt[@]}" -qq download libc6 libseccomp2)
    for deb in "$debs"/*.deb; do dpkg-deb -x "$deb" "$tools/libc"; done
    libc=$(dirname "$(find "$tools/libc" -name libc.so.6 | head -n 1)")
    patchelf --set-interpreter "$(find "$libc" -name 'ld-linux*' | head -n 1)" \
      --set-rpath "$libc" "$tools/usr/sbin/runc"
    "$tools/usr/sbin/runc" --version >/dev/null || die 'no runc that starts on this machine'
  fi
  rm -rf "$debs"
  mkdir -p "$tools/config/cli-plugins"
  local plugin
  for plugin in docker-compose docker-buildx; do
    ln -sf "$(find "$tools/usr" -type f -path "*/cli-plugins/$plugin" | head -n 1)" \
      "$tools/config/cli-plugins/$plugin"
  done
  printf '{}\n' >"$tools/config/config.json"
  touch "$tools/.complete"
}

# shellcheck disable=SC2016 # $PATH is for the shell that reads this
environment() {
  printf 'export DOCKER_HOST=%q\n' "unix://$socket"
  printf 'export DOCKER_CONFIG=%q\n' "$tools/config"
  printf 'export PATH=%q:%q:"$PATH"\n' "$tools/usr/bin" "$tools/usr/sbin"
  printf 'export DOCKER_BUILDKIT=1\nunset DOCKER_CONTEXT\n'
}

answers() {
  [ -S "$socket" ] && "$tools/usr/bin/docker" -H "unix://$socket" version >/dev/null 2>&1
}

running() {
  [ -s "$pidfile" ] && [ -r "/proc/$(cat "$pidfile")/comm" ] &&
    [ "$(cat "/proc/$(cat "$pidfile")/comm")" = dockerd ]
}

# The mtu of the way out: a larger one inside lets small packets through and
# hangs downloads.
outer_mtu() {
  local device
  device=$(awk '$2 == "00000000" { print $1; exit }' /proc/net/route)
  cat "/sys/class/net/${device:-lo}/mtu" 2>/dev/null || echo 1500
}

start() {
  install_tools
  answers && return
  [ "$(id -u)" = 0 ] || die 'a Docker engine needs root'
  running && die "runs (pid $(cat "$pidfile")) but does not answer: see $log"
  mkdir -p "$home/run/exec" "$home/data"
  rm -f "$pidfile" "$home/run/containerd.pid"
  local files mtu
  files=$(ulimit -Hn)
  [ "$files" = unlimited ] && files=1048576
  mtu=$(outer_mtu)
  [ "$mtu" -gt 1500 ] && mtu=1500
  say 'starting'
  PATH=$tools/usr/bin:$tools/usr/sbin:$PATH setsid dockerd \
    --data-root "$home/data" --exec-root "$home/run/exec" \
    --pidfile "$pidfile" -H "unix://$socket" \
    --init-path "$tools/usr/bin/tini-static" \
    --userland-proxy-path "$tools/usr/sbin/docker-proxy" \
    --mtu "$mtu" \
    --default-network-opt "bridge=com.docker.network.driver.mtu=$mtu" \
    --default-ulimit "nofile=$files:$files" \
    --log-driver json-file --log-opt max-size=10m --log-opt max-file=2 \
    >"$log" 2>&1 </dev/null 9>&- &
  local waited
  for waited in $(seq 1 120); do
    if answers; then
      say "ready after about $((waited / 4)) s"
      return
    fi
    sleep 0.25
    kill -0 $! 2>/dev/null || { tail -n 20 "$log" >&2; die 'dockerd ended'; }
  done
  tail -n 20 "$log" >&2
  die 'not ready after 30 s'
}

stop() {
  running || { say 'is not running'; return; }
  local pid
  pid=$(cat "$pidfile")
  kill "$pid"
  for _ in $(seq 1 120); do
    [ -d "/proc/$pid" ] || { say 'stopped'; return; }
    sleep 0.25
  done
  die "pid $pid does not end"
}

# Runs that start at once share one engine.
alone() {
  mkdir -p "$home/run"
  exec 9>"$home/run/engine.lock"
  flock 9
}

case ${1:-} in
  install) alone; install_tools ;;
  start) alone; start ;;
  stop) stop ;;
  status) answers ;;
  env) environment ;;
  remove) stop; rm -rf "$home" ;;
  *) sed -n '2,/^set -e/{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 2 ;;
esac
