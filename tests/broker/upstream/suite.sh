# What the commands for upstream suites share; sourced by them.
#
#   with_broker SCRIPT CHECKOUT [HOST:PORT]   sets checkout and broker; without HOST:PORT starts a broker and the script
#                                             again with its address (tests/broker/running.py says which broker);
#                                             its topics have `partitions` partitions unless told
#   environment NAME PACKAGE...               sets python to the interpreter of a virtual environment with the packages
#   deselected FILE                           sets deselect to pytest's options for the tests that FILE leaves out

upstream=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

with_broker() {
  checkout=$(cd "${2:?the folder of a checkout of the client}" && pwd)
  broker=${3:-}
  if [ -z "$broker" ]; then
    cd "$upstream/../../.." || exit 2
    export ARCHC_BROKER_PARTITIONS=$partitions
    # shellcheck disable=SC2016 # BROKER is set for the command
    exec "${PYTHON:-python3}" -m tests.broker.running bash -c '"$0" "$1" "$BROKER"' "$1" "$checkout"
  fi
}

environment() {
  local folder=${ARCHC_REFERENCE_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/archc-reference}/environment-$1
  python=$folder/bin/python
  [ -x "$python" ] || python3 -m venv "$folder"
  "$python" -m pip install -q "${@:2}"
}

deselected() {
  deselect=()
  local test
  while read -r test; do
    deselect+=(--deselect "$test")
  done < <(sed -e 's/#.*//' -e 's/ *$//' -e '/^$/d' "$1")
}
