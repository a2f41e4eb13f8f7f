#!/bin/bash
# As the official image: the first start makes the cluster, the user, the
# database and runs /docker-entrypoint-initdb.d; later starts only serve.
set -euo pipefail

# X, or the contents of the file that X_FILE names.
value_of() {
  local name=$1 default=${2:-} file=$1_FILE
  if [ -n "${!name:-}" ] && [ -n "${!file:-}" ]; then
    echo "error: both $name and $file are set" >&2
    exit 1
  fi
  if [ -n "${!file:-}" ]; then cat "${!file}"; else printf '%s' "${!name:-$default}"; fi
}

[ "${1:0:1}" = - ] && set -- postgres "$@"
[ "$1" = postgres ] || exec "$@"

if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA"
  chmod 700 "$PGDATA"
  find "$PGDATA" /run/postgresql \! -user postgres -exec chown postgres '{}' +
  exec setpriv --reuid postgres --regid postgres --init-groups "$0" "$@"
fi

mkdir -p "$PGDATA"
chmod 700 "$PGDATA" 2>/dev/null || true

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  user=$(value_of POSTGRES_USER postgres)
  password=$(value_of POSTGRES_PASSWORD)
  database=$(value_of POSTGRES_DB "$user")
  method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
  if [ -z "$password" ] && [ "$method" != trust ]; then
    echo 'error: neither POSTGRES_PASSWORD nor POSTGRES_PASSWORD_FILE is given' >&2
    exit 1
  fi
  # initdb wants a name for its uid.
  if ! getent passwd "$(id -u)" >/dev/null; then
    NSS_WRAPPER_PASSWD=$(mktemp) NSS_WRAPPER_GROUP=$(mktemp)
    LD_PRELOAD=$(find /usr/lib -name libnss_wrapper.so | head -n 1)
    echo "postgres:x:$(id -u):$(id -g):PostgreSQL:$PGDATA:/bin/false" >"$NSS_WRAPPER_PASSWD"
    echo "postgres:x:$(id -g):" >"$NSS_WRAPPER_GROUP"
    export NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP LD_PRELOAD
  fi
  # shellcheck disable=SC2086 # several arguments in one variable, as the image has it
  if [ -n "$password" ]; then
    initdb --username="$user" --pwfile=<(printf '%s\n' "$password") ${POSTGRES_INITDB_ARGS:-}
  else
    initdb --username="$user" ${POSTGRES_INITDB_ARGS:-}
  fi
  unset LD_PRELOAD NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP
  printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
  pg_ctl -D "$PGDATA" -o "$(printf '%q ' "${@:2}" -c listen_addresses= -p 5432)" -w start
  sql=(psql -v ON_ERROR_STOP=1 --no-password --no-psqlrc -h /run/postgresql -U "$user")
  export PGPASSWORD=$password
  if [ "$database" != postgres ]; then
    echo 'CREATE DATABASE :"db";' | "${sql[@]}" -d postgres -v db="$database"
  fi
  for file in /docker-entrypoint-initdb.d/*; do
    case $file in
      *.sh)
        echo "running $file"
        # shellcheck disable=SC1090 # as the image: a script without x is sourced
        if [ -x "$file" ]; then "$file"; else . "$file"; fi
        ;;
      *.sql) echo "running $file"; "${sql[@]}" -d "$database" -f "$file" ;;
      *.sql.gz) echo "running $file"; gunzip -c "$file" | "${sql[@]}" -d "$database" ;;
    esac
  done
  unset PGPASSWORD
  pg_ctl -D "$PGDATA" -m fast -w stop
  echo 'PostgreSQL init process complete; ready for start up.'
fi
exec "$@"
