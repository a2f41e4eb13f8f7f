#!/usr/bin/env bash
# librdkafka's own test-runner against a broker: librdkafka.sh CHECKOUT [HOST:PORT] [TEST...]
#
# CHECKOUT is a clone of librdkafka outside this repository; it is built there once. Without HOST:PORT a broker is
# started, and ARCHC_BROKER says which (tests/broker/running.py). Without TEST every test of librdkafka.allow runs;
# the others, and why each is left out, are in FINDINGS.md. Exit code 1 when a test fails or is skipped.
#
# SCENARIO=noautocreate runs those that want a broker which makes no topics unasked. TIMEOUT_S (900) bounds each run,
# LOGS is a folder that keeps the logs of what failed. A few tests call Kafka's own commands: they run when
# KAFKA_PATH says where these are (`reference/fetch.sh` brings them), and are left out otherwise.
set -euo pipefail
# shellcheck source=tests/broker/upstream/suite.sh
source "$(dirname "${BASH_SOURCE[0]}")/suite.sh"
scenario=${SCENARIO:-default}
[ "$scenario" = default ] || export ARCHC_BROKER_AUTO_CREATE=0
partitions=4
# Kafka's own, which tests expect that start several members together.
export ARCHC_BROKER_REBALANCE_DELAY_MS=3000
with_broker "$upstream/$(basename "$0")" "$@"
shift; shift || true

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
export TEST_SCENARIO=$scenario

# The runner picks tests by number, and several may have one: a run covers all that the list has of it. NAME/PART is
# a test of which only the parts with PART in their name are run.
declare -A names=() wants=()
while read -r name needs; do
  [ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
  needs=" ${needs:-} "
  wanted=default
  [[ $needs != *" noautocreate "* ]] || wanted=noautocreate
  [ "$scenario" = "$wanted" ] || continue
  if [[ $needs == *" kafka-commands "* ]] && [ -z "${KAFKA_PATH:-}" ]; then
    echo "left out $name: it calls Kafka's commands, and KAFKA_PATH does not say where they are"
    continue
  fi
  run=${name%%_*}
  [[ $name != */* ]] || run+=/${name#*/}
  names[$run]="${names[$run]:-} ${name%/*}"
  wants[$run]=$needs
done < <(sed -e 's/#.*//' -e '/^ *$/d' "$upstream/librdkafka.allow")

failed=0 passed=0
for run in $(printf '%s\n' "${!names[@]}" | sort); do
  # -L: no tests that need no broker; -E: no emulation of slow sockets, but for the tests that are about it.
  options=(-L -p1)
  [[ ${wants[$run]} == *" sockem "* ]] || options+=(-E)
  part=${run#"${run%%/*}"}
  export TESTS=${run%%/*}
  if [ -n "$part" ]; then export SUBTESTS=${part#/}; else unset SUBTESTS; fi
  # The outer braces keep this shell's own word on a run that aborts out of the output.
  { (cd "$checkout/tests" && timeout -k 5 "${TIMEOUT_S:-900}" ./test-runner "${options[@]}") 2>&1 \
    | sed 's/\x1b\[[0-9;]*m//g' >"$scratch/log" || true; } 2>/dev/null
  for name in ${names[$run]}; do
    state=$(sed -n "s/^| $name  *| *\([A-Z]*\) *| *\([0-9.]*s\).*/\1 \2/p" "$scratch/log" | tail -n 1)
    if [[ $state == PASSED* ]] && { [ -z "$part" ] || grep -qF "$SUBTESTS" "$scratch/log"; }; then
      passed=$((passed + 1))
      echo "passed $name$part ${state#PASSED }"
      continue
    fi
    failed=$((failed + 1))
    echo "FAILED $name$part ${state:-: no summary, it crashed or took over ${TIMEOUT_S:-900} s}"
    [ -z "${LOGS:-}" ] || { mkdir -p "$LOGS" && cp "$scratch/log" "$LOGS/$name${part//\//-}.log"; }
    { grep -aE 'TEST FAILURE|Assert|failed:' "$scratch/log" || true; } | tail -n 3 | cut -c1-300 | sed 's/^/    /'
  done
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
