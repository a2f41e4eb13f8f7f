#!/bin/sh
# uv's programs out of its package: prepare.sh OUT VERSION
set -eu
wheels=$(mktemp -d)
trap 'rm -rf "$wheels"' EXIT
python3 -m pip download -q --no-deps --only-binary :all: -d "$wheels" "uv${2:+==$2}"
python3 -m zipfile -e "$wheels"/*.whl "$wheels/tree"
install -m 755 "$wheels"/tree/uv-*.data/scripts/uv "$wheels"/tree/uv-*.data/scripts/uvx "$1/"
