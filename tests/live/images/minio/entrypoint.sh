#!/bin/sh
set -e
case ${1:-} in minio | mc | sh | bash | /*) ;; *) set -- minio "$@" ;; esac
exec "$@"
