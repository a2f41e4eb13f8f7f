#!/usr/bin/env bash
# Set up archc on a bare machine and build an example with it: ./examples/build.sh [NAME] [ENVIRONMENT]
#
# Needs Python 3.11 or newer; on Debian, what Python lacks there (python3-venv) is installed as root or with sudo.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
name=${1:-shop}
environment=${2:-local}

if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
  as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
fi
if [ ! -f "examples/$name/$name.arch" ]; then
  echo "there is no example $name; there are: $(cd examples && echo */ | tr -d /)" >&2
  exit 2
fi
[ -x .venv-examples/bin/python ] || python3 -m venv .venv-examples
.venv-examples/bin/python -m pip install -q .

# A copy of what people wrote, so that the checkout stays as it is; what is there already stays too.
mkdir -p "build/$name"
(cd "examples/$name" && find . -path ./golden -prune -o -type f -print) | while read -r file; do
  [ -e "build/$name/$file" ] || install -D "examples/$name/$file" "build/$name/$file"
done
.venv-examples/bin/archc check "build/$name" --env "$environment"
.venv-examples/bin/archc build "build/$name" --env "$environment"
