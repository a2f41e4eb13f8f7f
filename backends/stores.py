"""Stores: the scripts that make databases, their users and topics when a server first starts.

Passwords are read from secret files where the scripts run; no value is in them. Names are those of elements:
small letters, digits and hyphens.
"""

import json
import shlex
from collections.abc import Iterator

from archc.backends import facts, settings
from archc.backends.backend import Backend, Output, Outputs, Plan
from archc.backends.topics import declared_topics
from archc.backends.workloads.platform import makes_topics, topics_file
from archc.backends.workloads.stores import init_file, logical_databases
from archc.compiler import model

__all__ = ["BACKEND"]

_MYSQL_HEAD = """\
#!/usr/bin/env bash
# Run by the image while its server starts for the first time.
database() { # name, file with the password of its user, who is called the same
  password=$(cat "$2")
  password=${password//\\\\/\\\\\\\\}
  password=${password//\\'/\\\\\\'}
  MYSQL_PWD=$(cat "$MYSQL_ROOT_PASSWORD_FILE") mysql --protocol=socket --user=root <<SQL
CREATE DATABASE IF NOT EXISTS \\`$1\\` CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS '$1'@'%' IDENTIFIED BY '$password';
GRANT ALL PRIVILEGES ON \\`$1\\`.* TO '$1'@'%';
SQL
}
"""
_MONGODB_HEAD = """\
// Run by the image while its server starts for the first time.
const fs = require("fs");

function database(name, file) {
  const pwd = fs.readFileSync(file, "utf8").trim();
  db.getSiblingDB(name).createUser({ user: name, pwd, roles: [{ role: "dbOwner", db: name }] });
}
"""
_KAFKA_HEAD = """\
#!/usr/bin/env bash
# Makes the topics that are not there yet. What a topic has is left as it is.
set -euo pipefail

topic() { # name, partitions, then its configuration
  local name=$1 partitions=$2 arguments=()
  shift 2
  for setting in "$@"; do arguments+=(--config "$setting"); done
  "${TOPICS:-/opt/kafka/bin/kafka-topics.sh}" --bootstrap-server "$BOOTSTRAP" --create --if-not-exists \\
    --topic "$name" --partitions "$partitions" --replication-factor 1 "${arguments[@]}"
}
"""
_REDPANDA_HEAD = """\
#!/usr/bin/env bash
# Makes the topics that are not there yet. What a topic has is left as it is.
set -euo pipefail

topic() { # name, partitions, then its configuration
  local name=$1 partitions=$2 arguments=() said
  shift 2
  for setting in "$@"; do arguments+=(--topic-config "$setting"); done
  said=$(rpk topic create "$name" --partitions "$partitions" --replicas 1 "${arguments[@]}" \\
    -X brokers="$BOOTSTRAP" 2>&1) || [[ $said == *TOPIC_ALREADY_EXISTS* ]] || {
    echo "$said" >&2
    exit 1
  }
}
"""
_TOPICS_HEADS = {"kafka": _KAFKA_HEAD, "redpanda": _REDPANDA_HEAD}


def _render(plan: Plan) -> Outputs:
    outputs: dict[str, Output] = {}
    writers = {"postgres": _postgres, "mysql": _mysql, "mongodb": _mongodb}
    for store in plan.system.all(model.Store):
        write = writers.get(facts.engine_name(store))
        if write is not None and not store.on:
            outputs[init_file(plan, store)] = Output(write(plan, store))
    for broker in plan.system.all(model.Broker):
        if makes_topics(plan, broker):
            outputs[topics_file(plan, broker)] = Output(_topics(plan, broker))
    return outputs


def _databases(plan: Plan, host: model.Store) -> Iterator[tuple[str, str]]:
    """Each database's name, which is also its user's, and the file with the password."""
    for database in logical_databases(plan.system, host):
        yield (
            settings.database_name(database),
            f"{settings.SECRETS_FOLDER}/{settings.password_secret(database)}",
        )


def _postgres(plan: Plan, host: model.Store) -> str:
    lines = ["-- Run by the image while its server starts for the first time.", "\\set ON_ERROR_STOP on"]
    for name, file in _databases(plan, host):
        lines += [
            "",
            f"\\set password `cat {file}`",
            f"CREATE ROLE \"{name}\" LOGIN PASSWORD :'password';",
            f'CREATE DATABASE "{name}" OWNER "{name}";',
            # Other databases' users have no business here.
            f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC;',
        ]
    return "\n".join(lines) + "\n"


def _mysql(plan: Plan, host: model.Store) -> str:
    calls = [shlex.join(["database", *pair]) for pair in _databases(plan, host)]
    return _MYSQL_HEAD + "\n" + "".join(f"{call}\n" for call in calls)


def _mongodb(plan: Plan, host: model.Store) -> str:
    calls = [f"database({json.dumps(name)}, {json.dumps(file)});" for name, file in _databases(plan, host)]
    return _MONGODB_HEAD + "\n" + "".join(f"{call}\n" for call in calls)


def _topics(plan: Plan, broker: model.Broker) -> str:
    calls = [
        ("topic", topic.name, str(topic.partitions), *(f"{k}={v}" for k, v in topic.configs.items()))
        for topic in declared_topics(plan, broker)
    ]
    return (
        _TOPICS_HEADS[facts.engine_name(broker)] + "\n" + "".join(f"{shlex.join(call)}\n" for call in calls)
    )


BACKEND = Backend(
    name="stores",
    doc="Scripts that make databases, their users and topics on the first start.",
    part="environment",
    platforms=("compose", "kubernetes"),
    render=_render,
)
