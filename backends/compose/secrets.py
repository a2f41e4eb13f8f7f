"""The script that makes a system's secrets on the machine it runs on. No value is ever in an output."""

import shlex
from collections.abc import Iterable

from archc.backends.backend import Plan
from archc.backends.workload import SecretFile, Workload

_HEAD = """\
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
  [ -e "secrets/$1" ] || head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \\n' | keep "$1"
}
"""

_RSA_KEY = """
rsa_key() {
  [ -e "secrets/$1" ] && return
  command -v openssl >/dev/null || { echo "secrets.sh: openssl is missing" >&2; exit 1; }
  openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 2>/dev/null | keep "$1"
}
"""

_GIVEN = """
given() {
  [ -e "secrets/$1" ] || { echo "secrets.sh: write the value of $1 into secrets/$1" >&2; exit 1; }
}
"""

_ENV_FILE = """
# Some programs read secrets from their environment alone. Their files are made anew from the values.
env_file() { # workload, then pairs of variable and secret
  file="secrets/$1.env"
  shift
  : >"secrets/.new"
  while [ $# -gt 0 ]; do
    value=$(cat "secrets/$2")
    case $value in
      *[\\'\\\\]* | *"
"*) echo "secrets.sh: $2 must be one line without quotes and backslashes" >&2; exit 1 ;;
    esac
    printf "%s='%s'\\n" "$1" "$value" >>"secrets/.new"
    shift 2
  done
  mv "secrets/.new" "$file"
}
"""


def secrets(workloads: Iterable[Workload]) -> tuple[SecretFile, ...]:
    """Every secret of the system, by name."""
    found = {secret.name: secret for workload in workloads for secret in workload.secrets}
    return tuple(found[name] for name in sorted(found))


def script(plan: Plan, workloads: Iterable[Workload]) -> str:
    """A POSIX shell script; it never overwrites a value."""
    workloads = tuple(workloads)
    all_secrets = secrets(workloads)
    kinds = {secret.kind for secret in all_secrets}
    with_env = [workload for workload in workloads if workload.secret_env]
    parts = [_HEAD]
    parts += [_RSA_KEY] if "rsa-key" in kinds else []
    parts += [_GIVEN] if "given" in kinds else []
    parts += [_ENV_FILE] if with_env else []
    functions = {"password": "password", "rsa-key": "rsa_key", "given": "given"}
    lines = [f"{functions[secret.kind]} {shlex.quote(secret.name)}" for secret in all_secrets]
    for workload in with_env:
        pairs = [word for pair in sorted(workload.secret_env.items()) for word in pair]
        lines.append(shlex.join(["env_file", workload.name, *pairs]))
    return "".join(parts) + "\n" + "".join(f"{line}\n" for line in lines)
