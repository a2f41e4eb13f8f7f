#!/bin/sh
set -e
case ${1:-} in
  '' | -*)
    set -- varnishd -F -f "${VARNISH_VCL_FILE:-/etc/varnish/default.vcl}" \
      -a "http=:${VARNISH_HTTP_PORT:-80},HTTP" \
      -a "proxy=:${VARNISH_PROXY_PORT:-8443},PROXY" \
      -p feature=+http2 -s "malloc,${VARNISH_SIZE:-100M}" "$@"
    ;;
esac
exec "$@"
