#!/bin/sh
exec wget -q -O - "http://127.0.0.1:${QUERY_PORT:-9411}/health"
