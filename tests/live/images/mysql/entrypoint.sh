#!/bin/bash
# As the official images of MySQL and MariaDB: the first start makes the data
# folder, the database and the user and runs /docker-entrypoint-initdb.d.
set -euo pipefail

# MYSQL_X or MARIADB_X, or the contents of the file that either with _FILE names.
value_of() {
  local name file
  for name in "MYSQL_$1" "MARIADB_$1"; do
    file=${name}_FILE
    if [ -n "${!file:-}" ]; then cat "${!file}"; return; fi
    if [ -n "${!name:-}" ]; then printf '%s' "${!name}"; return; fi
  done
}
quoted() { printf "'%s'" "$(printf '%s' "$1" | sed -e 's/\\/\\\\/g' -e "s/'/''/g")"; }

case ${1:-} in -*) set -- mysqld "$@" ;; esac
case ${1:-} in mysqld | mariadbd) ;; *) exec "$@" ;; esac
# Options of MySQL that MariaDB does not know.
options=()
for option in "$@"; do
  case $option in
    --default-authentication-plugin* | --authentication-policy* | --mysqlx*) continue ;;
    *) options+=("$option") ;;
  esac
done
set -- "${options[@]}"
data=/var/lib/mysql
if [ "$(id -u)" = 0 ]; then
  find "$data" /run/mysqld \! -user mysql -exec chown mysql '{}' +
  exec setpriv --reuid mysql --regid mysql --init-groups "$0" "$@"
fi
if [ ! -d "$data/mysql" ]; then
  root=$(value_of ROOT_PASSWORD) user=$(value_of USER) database=$(value_of DATABASE)
  password=$(value_of PASSWORD)
  if [ -z "$root$(value_of ALLOW_EMPTY_PASSWORD)$(value_of ALLOW_EMPTY_ROOT_PASSWORD)$(value_of RANDOM_ROOT_PASSWORD)" ]; then
    echo 'error: no root password is given' >&2
    exit 1
  fi
  mariadb-install-db --skip-test-db --auth-root-authentication-method=normal --datadir="$data" >/dev/null
  "$@" --skip-networking &
  pid=$!
  for _ in $(seq 1 120); do mariadb -u root -e 'SELECT 1' >/dev/null 2>&1 && break; sleep 0.25; done
  {
    [ -z "$database" ] || echo "CREATE DATABASE IF NOT EXISTS \`$database\`;"
    if [ -n "$user" ]; then
      echo "CREATE USER $(quoted "$user")@'%' IDENTIFIED BY $(quoted "$password");"
      [ -z "$database" ] || echo "GRANT ALL ON \`${database//_/\\_}\`.* TO $(quoted "$user")@'%';"
    fi
    echo "CREATE USER root@'%' IDENTIFIED BY $(quoted "$root"); GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;"
    echo "ALTER USER root@localhost IDENTIFIED BY $(quoted "$root");"
  } | mariadb -u root
  for file in /docker-entrypoint-initdb.d/*; do
    case $file in
      *.sh)
        # shellcheck disable=SC1090 # as the image: a script without x is sourced
        if [ -x "$file" ]; then "$file"; else . "$file"; fi
        ;;
      *.sql) MYSQL_PWD=$root mariadb -u root ${database:+"$database"} <"$file" ;;
      *.sql.gz) gunzip -c "$file" | MYSQL_PWD=$root mariadb -u root ${database:+"$database"} ;;
    esac
  done
  kill "$pid"
  wait "$pid" || true
fi
exec "$@"
