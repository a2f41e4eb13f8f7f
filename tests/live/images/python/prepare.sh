#!/bin/sh
# A CPython of the wanted version, copied from the machine: prepare.sh OUT VERSION
# No registry carries one for Debian; where the machine has none either, the
# image gets Debian's own python3 and says so.
set -eu
out=$1 version=$2
find_prefix() {
  for candidate in \
    "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/"python$version" \
    "${UV_PYTHON_INSTALL_DIR:-$HOME/.local/share/uv/python}/cpython-$version".*/bin/"python$version" \
    "$(command -v "python$version" || true)"; do
    [ -x "$candidate" ] || continue
    prefix=$("$candidate" -c 'import sys; print(sys.base_prefix)') || continue
    # A system Python's parts are spread over /usr and cannot be copied.
    [ "$prefix" = /usr ] || { echo "$prefix"; return; }
  done
}
prefix=$(find_prefix)
if [ -z "$prefix" ]; then
  echo "note: no CPython $version on this machine; the image gets Debian's python3"
else
  mkdir -p "$out/usr/bin" "$out/usr/lib"
  cp -a "$prefix/bin/python$version" "$out/usr/bin/"
  cp -a "$prefix"/lib/libpython*.so* "$out/usr/lib/" 2>/dev/null || true
  cp -a "$prefix/include" "$out/usr/"
  tar -C "$prefix/lib" -c --exclude='__pycache__' --exclude="python$version/test" \
    --exclude="python$version/site-packages" --exclude="python$version/idlelib" \
    --exclude="python$version/tkinter" --exclude='config-*' "python$version" |
    tar -C "$out/usr/lib" -x
  mkdir -p "$out/usr/lib/python$version/site-packages"
  ln -s "python$version" "$out/usr/bin/python3"
  ln -s python3 "$out/usr/bin/python"
fi
# How this machine reaches its package index. An image of a registry has none
# of this; a Dockerfile under test must not need to name it.
mkdir -p "$out/etc/pki"
python3 -m pip config list | while IFS= read -r line; do
  case $line in
    *index-url=* | *trusted-host=* | *proxy=* | *timeout=*)
      key=${line%%=*}
      value=${line#*=}
      value=${value#\'}
      printf '%s = %s\n' "${key##*.}" "${value%\'}"
      ;;
  esac
done | { echo '[global]'; cat; echo 'disable-pip-version-check = true'; } >"$out/etc/pip.conf"
for authority in /usr/local/share/ca-certificates/*.crt; do
  [ -e "$authority" ] && cp "$authority" "$out/etc/pki/"
done
find "$out" -name .gitkeep -delete
