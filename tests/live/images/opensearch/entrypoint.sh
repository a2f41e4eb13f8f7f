#!/bin/bash
# As the official image: settings with a dot or in lower case come from the
# environment. Security settings are left out: Maven Central's distribution
# has no security plugin, and an unknown setting ends the server.
set -eu
options=()
while IFS='=' read -r -d '' name value; do
  case $name in
    xpack.* | plugins.security.*) continue ;;
    ES_SETTING_XPACK_*) continue ;;
  esac
  if [[ $name =~ ^[a-z0-9_]+(\.[a-z0-9_]+)+$ ]]; then options+=("-E$name=$value"); fi
done </proc/self/environ
if [ -n "${ES_PATH_CONF:-}" ]; then export OPENSEARCH_PATH_CONF=$ES_PATH_CONF; fi
if [ -n "${ES_JAVA_OPTS:-}" ]; then export OPENSEARCH_JAVA_OPTS=$ES_JAVA_OPTS; fi
case ${1:-} in '' | opensearch | elasticsearch | eswrapper) exec opensearch "${options[@]}" ;; esac
exec "$@"
