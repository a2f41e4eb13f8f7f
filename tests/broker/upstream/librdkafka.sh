#!/usr/bin/env bash
# librdkafka's own test-runner against a broker: librdkafka.sh CHECKOUT [HOST:PORT] [TEST...]
#
# CHECKOUT is a clone of librdkafka outside this repository; it is built there once. Without HOST:PORT a broker is
# started, and ARCHC_BROKER says which (tests/broker/running.py). Without TEST every test of librdkafka.allow runs;
# the others, and why each is left out, are in FINDINGS.md. Exit code 1 when a test fails or is skipped.
#
# PYTHON is the interpreter that has archc. TIMEOUT_S (300) bounds each test. A few tests call Kafka's own commands:
# they run when KAFKA_PATH says where these are (`reference/fetch.sh` brings them), and are left out otherwise.
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
checkout=$(cd "${1:?the folder of a clone of librdkafka}" && pwd)
broker=${2:-}
if [ -z "$broker" ]; then
  cd "$here/../../.." || exit 2
  # shellcheck disable=SC2016 # BROKER is set for the command
  exec "${PYTHON:-python3}" -m tests.broker.running bash -c '"$0" "$1" "$BROKER" "${@:2}"' "$here/librdkafka.sh" "$@"
fi
shift 2 2>/dev/null || shift $#

if [ ! -x "$checkout/tests/test-runner" ]; then
  (cd "$checkout" && ./configure --disable-gssapi && make -j"$(nproc)" libs && make -C tests test-runner \
    && make -C examples rdkafka_performance) >"$checkout/build.log" 2>&1 \
    || { echo "librdkafka does not build: see $checkout/build.log" >&2; exit 2; }
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
printf 'metadata.broker.list=%s\nbroker.address.family=v4\n' "$broker" >"$scratch/test.conf"
# Without these a librdkafka that the system has would be tested instead.
export LD_LIBRARY_PATH=$checkout/src:$checkout/src-cpp
export RDKAFKA_TEST_CONF=$scratch/test.conf BROKERS=$broker TEST_KAFKA_VERSION=${TEST_KAFKA_VERSION:-4.1.0}

tests=("$@")
if [ ${#tests[@]} -eq 0 ]; then
  mapfile -t tests < <(sed -e 's/#.*//' -e '/^ *$/d' "$here/librdkafka.allow")
fi
failed=0 passed=0
for line in "${tests[@]}"; do
  read -r name needs <<<"$line"
  if [ "${needs:-}" = kafka-commands ] && [ -z "${KAFKA_PATH:-}" ]; then
    echo "left out $name: it calls Kafka's commands, and KAFKA_PATH does not say where they are"
    continue
  fi
  # -E: no emulation of slow sockets, but for the tests that are about it.
  emulation=(-E)
  [ "${needs:-}" = sockem ] && emulation=()
  (cd "$checkout/tests" && TESTS=$name timeout -k 5 "${TIMEOUT_S:-300}" \
    ./test-runner "${emulation[@]}" -p1) >"$scratch/$name.log" 2>&1
  summary=$(sed 's/\x1b\[[0-9;]*m//g' "$scratch/$name.log" | grep -E "^\| $name +\|" | tail -n 1 | tr -s ' |' ' ')
  if [[ $summary == *" PASSED "* ]]; then
    passed=$((passed + 1))
    echo "passed$summary"
  else
    failed=$((failed + 1))
    echo "FAILED ${summary:- $name (no summary: it crashed, or took over ${TIMEOUT_S:-300} s)}"
    [ -n "${LOGS:-}" ] && mkdir -p "$LOGS" && cp "$scratch/$name.log" "$LOGS/"
    grep -aE 'FAIL|Assert|assert' "$scratch/$name.log" | sed 's/\x1b\[[0-9;]*m//g' | head -n 3 | sed 's/^/    /'
  fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
