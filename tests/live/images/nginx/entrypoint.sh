#!/bin/sh
# As the official image: templates filled from the environment, then the
# scripts of /docker-entrypoint.d, then the command.
set -e
if [ "$1" = nginx ]; then
  from=${NGINX_ENVSUBST_TEMPLATE_DIR:-/etc/nginx/templates}
  to=${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}
  if [ -d "$from" ] && [ -w "$to" ]; then
    names=$(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/${\1}/p' | tr '\n' ' ')
    for template in "$from"/*.template; do
      [ -e "$template" ] || continue
      filled=$(envsubst "$names" <"$template")
      printf '%s\n' "$filled" >"$to/$(basename "$template" .template)"
    done
  fi
  for script in /docker-entrypoint.d/*.sh; do
    [ -x "$script" ] && "$script"
  done
fi
exec "$@"
