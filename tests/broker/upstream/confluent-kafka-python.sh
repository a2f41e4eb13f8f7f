#!/usr/bin/env bash
# confluent-kafka-python's own integration tests against a broker: confluent-kafka-python.sh CHECKOUT [HOST:PORT]
#
# CHECKOUT is a clone of the client outside this repository, of which only tests/ is used: the client is the one that
# the package index has. Share groups, SASL clusters and the schema registry are no part of the broker's; what else is
# left out is in confluent-kafka-python.left-out, with why.
set -euo pipefail
# shellcheck source=tests/broker/upstream/suite.sh
source "$(dirname "${BASH_SOURCE[0]}")/suite.sh"
partitions=4
with_broker "$upstream/$(basename "$0")" "$@"

environment confluent "confluent-kafka[avro,json,protobuf,rules]" "$checkout"/tests/trivup/trivup-*.tar.gz \
  pytest pytest-timeout pytest-asyncio requests-mock respx async-timeout
deselected "$upstream/confluent-kafka-python.left-out"

# The checkout has an unbuilt confluent_kafka beside its tests, which must not be found.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp -r "$checkout/tests" "$scratch/tests"
printf '[pytest]\nasyncio_mode = auto\n' >"$scratch/pytest.ini"
cd "$scratch"
BROKERS=$broker "$python" -m pytest -q --timeout 300 --timeout-method=thread -p no:cacheprovider -W ignore \
  tests/integration/{admin,consumer,producer} "${deselect[@]}"
