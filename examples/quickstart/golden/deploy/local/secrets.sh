#!/bin/sh
# Makes the secrets of this environment in ./secrets, once: what is there stays as it is. Run it before
# `docker compose up`, and again whenever the system has changed. To use a value of your own, write it
# into ./secrets/NAME and run this again.
set -eu
cd "$(dirname "$0")"
umask 077
# Containers run as other users than you, so they must be able to read the files; the folder keeps everybody
# else on this machine out.
mkdir -p secrets
chmod 700 secrets

keep() { # name: the value comes on standard input
  cat >"secrets/.new"
  [ -s "secrets/.new" ] || { echo "secrets.sh: no value for $1" >&2; exit 1; }
  chmod 444 "secrets/.new"
  mv "secrets/.new" "secrets/$1"
}

password() {
  [ -e "secrets/$1" ] || head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n' | keep "$1"
}

rsa_key() {
  [ -e "secrets/$1" ] && return
  command -v openssl >/dev/null || { echo "secrets.sh: openssl is missing" >&2; exit 1; }
  openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 2>/dev/null | keep "$1"
}

rsa_key login-key
password orders-db-password
password orders-db-superuser
