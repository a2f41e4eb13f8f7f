#!/usr/bin/env bash
# Brings a generated system up on a real engine and waits until it is healthy.
#
#   run.sh [options] DIR         DIR has a compose.yaml
#
#   -f, --file FILE      a compose file, below DIR or absolute (again for more;
#                        default: compose.yaml, docker-compose.yml, or the same
#                        below deploy/ENV)
#   -e, --env ENV        the environment (default: dev)
#   -c, --check COMMAND  run with bash in DIR once all is up: docker compose there
#                        means this system, so it can exec, logs, port
#   -k, --keep           leave the system up; what it takes to stop it is printed
#       --down           only take it down, with its volumes
#   -s, --stubs          an image without a recipe becomes a stub that answers 200 on
#                        the ports its compose entry tells
#   -n, --name NAME      the project's name (default: live- and DIR's name)
#   -t, --timeout SEC    wait this long for health (default: 300)
#
# The exit code is the check's, 1 when the system does not get healthy or an image
# cannot be built, 3 when an image has no recipe. A secrets.sh in DIR, DIR/deploy, DIR/deploy/ENV or beside
# the compose file is run first. Tools that need no more than the engine read the
# two lines of `engine.sh env`.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=${ARCHC_LIVE_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/archc-live}
say() { printf 'run: %s\n' "$*" >&2; }
die() { say "$*"; exit 2; }

files=() environment=dev check='' keep='' down='' stubs=() name='' timeout=300 directory=''
while [ $# -gt 0 ]; do
  case $1 in
    -f | --file) files+=("$2"); shift ;;
    -e | --env) environment=$2; shift ;;
    -c | --check) check=$2; shift ;;
    -k | --keep) keep=1 ;;
    --down) down=1 ;;
    -s | --stubs) stubs=(--stubs) ;;
    -n | --name) name=$2; shift ;;
    -t | --timeout) timeout=$2; shift ;;
    -*) die "no option $1: $(sed -n 's/^#   \(run.sh.*\)/\1/p' "$0")" ;;
    *) directory=$1 ;;
  esac
  shift
done
if [ -z "$directory" ] || [ ! -d "$directory" ]; then
  die 'name a folder that has a compose.yaml'
fi
cd "$directory"

if [ ${#files[@]} = 0 ]; then
  for candidate in compose.yaml docker-compose.yml docker-compose.yaml; do
    for folder in . "deploy/$environment" deploy; do
      if [ -f "$folder/$candidate" ]; then files=("$folder/$candidate"); break 2; fi
    done
  done
fi
[ ${#files[@]} -gt 0 ] || die "no compose file in $directory"
name=${name:-live-$(basename "$PWD" | tr '[:upper:]' '[:lower:]' | tr -c 'a-z0-9\n' '-')}

"$here/engine.sh" start
eval "$("$here/engine.sh" env)"

overrides=$home/run/projects/$name.json
export COMPOSE_PROJECT_NAME=$name
COMPOSE_PATH_SEPARATOR=:
COMPOSE_FILE=$(IFS=:; echo "${files[*]}")
export COMPOSE_FILE COMPOSE_PATH_SEPARATOR
# Compose's own display is for a terminal.
export COMPOSE_ANSI=never COMPOSE_PROGRESS=plain
take_down() {
  docker compose --profile '*' down --volumes --remove-orphans --timeout 10 2>&1 | tail -n 1
}
if [ -n "$down" ]; then take_down; exit; fi

for script in secrets.sh deploy/secrets.sh "deploy/$environment/secrets.sh" \
  "$(dirname "${files[0]}")/secrets.sh"; do
  if [ -f "$script" ]; then
    say "secrets: $script"
    bash "$script"
    break
  fi
done

images=0
"$here/images.py" compose "${files[@]}" "${stubs[@]}" -o "$overrides" || images=$?
[ "$images" = 0 ] || exit "$images"
COMPOSE_FILE=$COMPOSE_FILE:$overrides

started=$SECONDS up=0
docker compose up --detach --build --wait --wait-timeout "$timeout" || up=$?
say "up ended with $up after $((SECONDS - started)) s"
states=$(docker compose ps --all --format \
  '{{.Service}}\t{{.State}}\t{{or .Health "-"}}\t{{.ExitCode}}\t{{.Status}}')
printf '%s\n' "$states" | awk -F '\t' '
  BEGIN { row = "%-24s %-11s %-10s %-5s %s\n"; printf row, "SERVICE", "STATE", "HEALTH", "CODE", "STATUS" }
  { printf row, $1, $2, $3, $4, $5 }'
if [ "$up" != 0 ]; then
  up=1
  # What is in trouble itself, not what only waits for it.
  for service in $(printf '%s\n' "$states" | awk -F '\t' '
    $2 == "created" || ($2 == "running" && ($3 == "healthy" || $3 == "-")) || ($2 == "exited" && $4 == 0) { next }
    { print $1 }' | sort -u); do
    say "last lines of $service"
    docker compose logs --no-color --no-log-prefix --tail 25 "$service" 2>&1 |
      sed -e 's/\x1b\[[0-9;]*[A-Za-z]//g' | cut -c 1-400 >&2 || true
    container=$(docker compose ps --all --quiet "$service" | head -n 1)
    docker inspect -f '{{with .State.Health}}{{range .Log}}{{printf "health: %d %s\n" .ExitCode .Output}}{{end}}{{end}}' \
      "$container" | grep . | tail -n 3 >&2 || true
  done
elif [ -n "$check" ]; then
  bash -c "$check" || up=$?
  say "check ended with $up"
fi

if [ -n "$keep" ]; then
  say "left up; point docker at it with: eval \"\$($here/engine.sh env)\""
  say "and take it down with: $here/run.sh --down --name $name $PWD"
else
  take_down
fi
exit "$up"
