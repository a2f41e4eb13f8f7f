#!/usr/bin/env bash
# Set up everything the tests need on a bare Debian machine and run them: ./tests/run.sh [pytest arguments]
#
# Debian's packages are installed where they are missing (as root, or through sudo); everything of Python's goes
# into a virtual environment of its own, .venv-test, with archc built and installed as a wheel.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

packages=()
need() { # program, package
  command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ] || packages+=("$2")
}
need git git
need dot graphviz
need nginx nginx-light
need haproxy haproxy
need varnishd varnish
need kubectl kubernetes-client
need redis-server redis-server
need promtool prometheus
need openssl openssl
need strace strace
need kcat kcat
need npm npm
[ -x "$(command -v initdb || ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null | tail -n 1)" ] || packages+=(postgresql)
python3 -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3-venv)

if [ ${#packages[@]} -gt 0 ]; then
  command -v apt-get >/dev/null || { echo "please install: ${packages[*]}" >&2; exit 1; }
  as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get update -qq
  # RUNLEVEL=1: install the programs, start no services
  "${as_root[@]}" env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi

[ -x .venv-test/bin/python ] || python3 -m venv .venv-test
PATH="$PWD/.venv-test/bin:$PATH"
python -m pip install -q --upgrade pip
python -m pip install -q --force-reinstall --no-deps .
python -m pip install -q '.[test]'
npm install --silent --no-audit --no-fund --no-package-lock --prefix tests/broker/clients/node

ruff check .
ruff format --check .
mypy -p archc.dsl -p archc.compiler -p archc.backends
exec python -m pytest --cov=archc --cov-report=term "$@"
