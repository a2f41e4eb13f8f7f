#!/bin/sh
# Writes the root of a minimal Debian as a tar stream: image.sh TAG >root.tar
# The release is the tag's first word (bookworm-slim -> bookworm).
set -eu
case ${1%%-*} in
  12) suite=bookworm ;;
  13 | latest | stable) suite=trixie ;;
  *) suite=${1%%-*} ;;
esac
if ! command -v debootstrap >/dev/null; then
  apt-get update -qq >&2
  DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends debootstrap >&2
fi
root=$(mktemp -d)
log=$(mktemp)
trap 'rm -rf "$root" "$log"' EXIT
# shellcheck disable=SC2016 # apt's own $(...)
mirror=$(apt-get indextargets --format '$(REPO_URI) $(COMPONENT)' 'Created-By: Packages' |
  awk '$2 == "main" { print $1; exit }')
debootstrap --variant=minbase --merged-usr \
  --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
  "$suite" "$root" "$mirror" >"$log" 2>&1 || { tail -n 30 "$log" >&2; exit 1; }
# A package must not start its daemon while an image is built.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/var/log/* \
  "$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/usr/share/locale/*
# debootstrap leaves the machine's own resolver in the image.
: >"$root/etc/resolv.conf"
rm -f "$root/etc/hostname"
tar -C "$root" --numeric-owner -c .
