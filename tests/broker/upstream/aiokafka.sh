#!/usr/bin/env bash
# aiokafka's own tests against a broker: aiokafka.sh CHECKOUT [HOST:PORT]
#
# A broker that runs already must give two partitions to a topic that is made without saying how many.
#
# CHECKOUT is a clone of the client outside this repository, of which only tests/ is used: the client is the one that
# the package index has. The suite wants to start Kafka in Docker; aiokafka_plugin.py gives it the broker that runs.
# What is left out is in aiokafka.left-out, with why.
set -euo pipefail
# shellcheck source=tests/broker/upstream/suite.sh
source "$(dirname "${BASH_SOURCE[0]}")/suite.sh"
partitions=2
with_broker "$upstream/$(basename "$0")" "$@"

environment aiokafka "aiokafka[lz4,snappy,zstd]" pytest pytest-timeout pytest-asyncio pytest-mock
deselected "$upstream/aiokafka.left-out"

# The checkout has an unbuilt aiokafka beside its tests, which must not be found.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp -r "$checkout/tests" "$scratch/tests"
printf '[pytest]\nasyncio_mode = auto\nmarkers = ssl: wants certificates\n' >"$scratch/pytest.ini"
cd "$scratch"
# Of the suite's files those count that talk to a broker.
mapfile -t files < <(grep -lE "setup_test_class|KafkaIntegrationTestCase" tests/test_*.py)
BROKER=$broker PYTHONPATH=$upstream "$python" -m pytest -q --timeout 300 -p no:cacheprovider -p aiokafka_plugin \
  -W ignore --docker-image "broker:${KAFKA_VERSION:-4.1.0}" --no-pull -m "not ssl" "${files[@]}" "${deselect[@]}"
