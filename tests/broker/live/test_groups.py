"""Consumer groups of a running broker on the wire: every version of each of their APIs."""

import contextlib
import random
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from archc.backends.broker.protocol.errors import ErrorCode
from archc.backends.broker.protocol.notation import schema
from tests.broker import running
from tests.broker.live.raw import METADATA, METADATA_VERSION, ask, connect

OFFSET_COMMIT, OFFSET_FETCH, FIND_COORDINATOR, JOIN, HEARTBEAT = 8, 9, 10, 11, 12
LEAVE, SYNC, DESCRIBE, LIST, DELETE, OFFSET_DELETE = 13, 14, 15, 16, 42, 47
SUBSCRIPTION = b"\0\0" + b"\0\0\0\1" + b"\0\6orders" + b"\0\0\0\0"
TIMEOUT_S = 60.0


@pytest.fixture
def wire(broker: running.Broker) -> Iterator[socket.socket]:
    """A connection to a broker that has the topic `orders`."""
    with connect(broker) as sock:
        topics = {"topics": [{"name": "orders"}], "allow_auto_topic_creation": True}
        ask(sock, METADATA, METADATA_VERSION, topics)
        yield sock


def versions(api_key: int) -> Any:
    """Each version of an API."""
    return pytest.mark.parametrize("version", range(schema(api_key).first, schema(api_key).last + 1))


def join_fields(group: str, member_id: str = "", instance_id: str | None = None) -> dict[str, Any]:
    """A consumer's JoinGroup."""
    return {
        "group_id": group,
        "session_timeout_ms": 10_000,
        "rebalance_timeout_ms": 10_000,
        "member_id": member_id,
        "group_instance_id": instance_id,
        "protocol_type": "consumer",
        "protocols": [{"name": "range", "metadata": SUBSCRIPTION}],
    }


def join(sock: socket.socket, group: str, version: int = 9, instance_id: str | None = None) -> Any:
    """Be the only member of a group."""
    joined = ask(sock, JOIN, version, join_fields(group, instance_id=instance_id if version >= 5 else None))
    if joined.error_code == ErrorCode.MEMBER_ID_REQUIRED:
        joined = ask(sock, JOIN, version, join_fields(group, joined.member_id))
    assert joined.error_code == 0
    return joined


def sync(sock: socket.socket, group: str, joined: Any, version: int = 5) -> Any:
    """Share everything out to oneself."""
    fields = {
        "group_id": group,
        "generation_id": joined.generation_id,
        "member_id": joined.member_id,
        "assignments": [{"member_id": joined.member_id, "assignment": b"everything"}],
    }
    return ask(sock, SYNC, version, fields)


def commit_fields(group: str, offset: int, joined: Any = None, **changed: Any) -> dict[str, Any]:
    """An OffsetCommit for partition 0 of `orders`."""
    partition = {"partition_index": 0, "committed_offset": offset, "committed_metadata": "m"} | changed
    return {
        "group_id": group,
        "generation_id_or_member_epoch": joined.generation_id if joined else -1,
        "member_id": joined.member_id if joined else "",
        "topics": [{"name": "orders", "partitions": [partition]}],
    }


def commit(sock: socket.socket, group: str, offset: int, joined: Any = None, version: int = 9) -> int:
    """The error of a commit."""
    answer = ask(sock, OFFSET_COMMIT, version, commit_fields(group, offset, joined))
    return int(answer.topics[0].partitions[0].error_code)


# ---- every version on the wire


@versions(JOIN)
def test_join(wire: socket.socket, fresh: Callable[[str], str], version: int) -> None:
    group = fresh("group")
    first = ask(wire, JOIN, version, join_fields(group))
    if version >= 4:
        assert first.error_code == ErrorCode.MEMBER_ID_REQUIRED
        first = ask(wire, JOIN, version, join_fields(group, first.member_id))
    assert (first.error_code, first.generation_id, first.protocol_name) == (0, 1, "range")
    assert first.protocol_type == ("consumer" if version >= 7 else None)
    assert first.leader == first.member_id
    (member,) = first.members
    assert (member.member_id, bytes(member.metadata)) == (first.member_id, SUBSCRIPTION)
    refused = ask(wire, JOIN, version, join_fields("", first.member_id))
    assert refused.error_code == ErrorCode.INVALID_GROUP_ID
    assert refused.protocol_name == (None if version >= 7 else "")


@versions(SYNC)
def test_sync(wire: socket.socket, fresh: Callable[[str], str], version: int) -> None:
    group = fresh("group")
    synced = sync(wire, group, join(wire, group), version)
    assert (synced.error_code, bytes(synced.assignment)) == (0, b"everything")
    assert synced.protocol_name == ("range" if version >= 5 else None)


@versions(HEARTBEAT)
def test_heartbeat(wire: socket.socket, fresh: Callable[[str], str], version: int) -> None:
    group = fresh("group")
    joined = join(wire, group)
    fields = {"group_id": group, "generation_id": 1, "member_id": joined.member_id}
    assert ask(wire, HEARTBEAT, version, fields).error_code == 0
    assert ask(wire, HEARTBEAT, version, fields | {"generation_id": 0}).error_code == 22
    assert ask(wire, HEARTBEAT, version, fields | {"member_id": "x"}).error_code == 25


@versions(LEAVE)
def test_leave(wire: socket.socket, fresh: Callable[[str], str], version: int) -> None:
    group = fresh("group")
    joined = join(wire, group)
    if version < 3:
        fields: dict[str, Any] = {"group_id": group, "member_id": joined.member_id}
        assert ask(wire, LEAVE, version, fields).error_code == 0
        assert ask(wire, LEAVE, version, fields).error_code == ErrorCode.UNKNOWN_MEMBER_ID
    else:
        fields = {"group_id": group, "members": [{"member_id": joined.member_id}, {"member_id": "x"}]}
        left = ask(wire, LEAVE, version, fields)
        assert [(each.member_id, each.error_code) for each in left.members] == [
            (joined.member_id, 0),
            ("x", ErrorCode.UNKNOWN_MEMBER_ID),
        ]
    assert ask(wire, LEAVE, version, fields | {"group_id": ""}).error_code == ErrorCode.INVALID_GROUP_ID


@versions(OFFSET_COMMIT)
def test_offset_commit(wire: socket.socket, fresh: Callable[[str], str], version: int) -> None:
    group = fresh("group")
    joined = join(wire, group)
    sync(wire, group, joined)
    assert commit(wire, group, 5, joined, version) == 0
    assert commit(wire, group, 6, None, version) == ErrorCode.UNKNOWN_MEMBER_ID
    fields = commit_fields(group, 7, joined)
    fields["topics"] += [
        {"name": "nowhere", "partitions": [{"partition_index": 0, "committed_offset": 1}]},
        {"name": "orders", "partitions": [{"partition_index": 99, "committed_offset": 1}]},
    ]
    answer = ask(wire, OFFSET_COMMIT, version, fields)
    errors = [each.error_code for topic in answer.topics for each in topic.partitions]
    assert errors == [0, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]
    long = ask(wire, OFFSET_COMMIT, version, commit_fields(group, 8, joined, committed_metadata="é" * 2_049))
    assert long.topics[0].partitions[0].error_code == ErrorCode.OFFSET_METADATA_TOO_LARGE
    assert fetched(wire, group, 9) == [("orders", 0, 7, "m", 0)]


@versions(OFFSET_FETCH)
def test_offset_fetch(wire: socket.socket, fresh: Callable[[str], str], version: int) -> None:
    group = fresh("group")
    commit(wire, group, 5)
    assert fetched(wire, group, version, [0, 1]) == [("orders", 0, 5, "m", 0), ("orders", 1, -1, "", 0)]
    if version >= 2:
        assert fetched(wire, group, version) == [("orders", 0, 5, "m", 0)]
    assert fetched(wire, fresh("nobody"), version, [0]) == [("orders", 0, -1, "", 0)]


def fetched(
    sock: socket.socket, group: str, version: int, partitions: list[int] | None = None
) -> list[tuple[Any, ...]]:
    topics = None if partitions is None else [{"name": "orders", "partition_indexes": partitions}]
    fields: dict[str, Any] = {"group_id": group, "topics": topics}
    if version >= 8:
        other = {"group_id": "other", "topics": []}
        (mine, rest) = ask(sock, OFFSET_FETCH, version, {"groups": [fields, other]}).groups
        assert (rest.group_id, rest.topics, mine.error_code) == ("other", [], 0)
    else:
        mine = ask(sock, OFFSET_FETCH, version, fields)
    return [
        (topic.name, each.partition_index, each.committed_offset, each.metadata, each.error_code)
        for topic in mine.topics
        for each in topic.partitions
    ]


@versions(FIND_COORDINATOR)
def test_find_coordinator(wire: socket.socket, broker: running.Broker, version: int) -> None:
    for key_type in (0, 1):
        fields = {"key": "a", "key_type": key_type, "coordinator_keys": ["a", "b"]}
        answer = ask(wire, FIND_COORDINATOR, version, fields)
        found = answer.coordinators if version >= 4 else [answer]
        assert [(each.error_code, each.port) for each in found] == [(0, broker.port)] * len(found)
    if version >= 1:
        answer = ask(wire, FIND_COORDINATOR, version, {"key_type": 7, "coordinator_keys": ["a"]})
        (refused,) = answer.coordinators if version >= 4 else [answer]
        assert refused.error_code == ErrorCode.INVALID_REQUEST


@versions(DESCRIBE)
def test_describe(wire: socket.socket, fresh: Callable[[str], str], version: int) -> None:
    group = fresh("group")
    joined = join(wire, group, instance_id="instance")
    before = ask(wire, DESCRIBE, version, {"groups": [group]}).groups[0]
    assert (before.group_state, before.protocol_data) == ("CompletingRebalance", "")
    sync(wire, group, joined)
    fields = {"groups": [group, "nowhere"], "include_authorized_operations": True}
    known, unknown = ask(wire, DESCRIBE, version, fields).groups
    assert (known.group_state, known.protocol_type, known.protocol_data) == ("Stable", "consumer", "range")
    (member,) = known.members
    assert (member.client_host, bytes(member.member_metadata)) == ("127.0.0.1", SUBSCRIPTION)
    assert bytes(member.member_assignment) == b"everything"
    assert member.group_instance_id == ("instance" if version >= 4 else None)
    assert known.authorized_operations == ((1 << 3) + (1 << 6) + (1 << 8) if version >= 3 else -(2**31))
    assert (unknown.group_state, unknown.error_code, unknown.members) == ("Dead", 0, [])


@versions(LIST)
def test_list(wire: socket.socket, fresh: Callable[[str], str], version: int) -> None:
    empty, stable = fresh("empty"), fresh("stable")
    commit(wire, empty, 1)
    sync(wire, stable, join(wire, stable))

    def listed(**filters: list[str]) -> set[str]:
        groups = ask(wire, LIST, version, filters).groups
        return {each.group_id for each in groups} & {empty, stable}

    assert listed() == {empty, stable}
    if version >= 4:
        assert listed(states_filter=["stable"]) == {stable}
        assert listed(states_filter=["Empty", "PreparingRebalance"]) == {empty}
    if version >= 5:
        assert listed(types_filter=["Classic"]) == {empty, stable}
        assert listed(types_filter=["consumer"]) == set()


@versions(DELETE)
def test_delete(wire: socket.socket, fresh: Callable[[str], str], version: int) -> None:
    empty, stable = fresh("empty"), fresh("stable")
    commit(wire, empty, 1)
    join(wire, stable)
    asked = [empty, stable, "nowhere", empty]
    results = ask(wire, DELETE, version, {"groups_names": asked}).results
    assert {each.group_id: each.error_code for each in results} == {
        empty: 0,
        stable: ErrorCode.NON_EMPTY_GROUP,
        "nowhere": ErrorCode.GROUP_ID_NOT_FOUND,
    }
    assert fetched(wire, empty, 9) == []


def test_offset_delete(wire: socket.socket, fresh: Callable[[str], str]) -> None:
    group = fresh("group")
    joined = join(wire, group)
    sync(wire, group, joined)
    commit(wire, group, 5, joined)
    partitions = [{"partition_index": 0}, {"partition_index": 99}]
    fields = {"group_id": group, "topics": [{"name": "orders", "partitions": partitions}]}

    def deleted() -> list[int]:
        answer = ask(wire, OFFSET_DELETE, 0, fields)
        assert answer.error_code == 0
        return [each.error_code for each in answer.topics[0].partitions]

    unknown = int(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    assert deleted() == [ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC, unknown]
    ask(wire, LEAVE, 5, {"group_id": group, "members": [{"member_id": joined.member_id}]})
    assert deleted() == [0, unknown]
    assert fetched(wire, group, 9) == []
    assert ask(wire, OFFSET_DELETE, 0, fields | {"group_id": "nowhere"}).error_code == 69


def test_a_topic_takes_its_offsets_along(
    wire: socket.socket, broker: running.Broker, fresh: Callable[[str], str]
) -> None:
    group, topic = fresh("group"), fresh("topic")
    admin = AdminClient({"bootstrap.servers": broker.address})
    for round_number in range(2):
        admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(TIMEOUT_S)
        if round_number == 0:
            partitions = [{"partition_index": 0, "committed_offset": 5}]
            fields = commit_fields(group, 1) | {"topics": [{"name": topic, "partitions": partitions}]}
            assert ask(wire, OFFSET_COMMIT, 9, fields).topics[0].partitions[0].error_code == 0
            assert fetched(wire, group, 9) == [(topic, 0, 5, "", 0)]
            admin.delete_topics([topic])[topic].result(TIMEOUT_S)
    assert fetched(wire, group, 9) == []


def test_acknowledged_offsets_survive_kills(tmp_path: Path) -> None:
    """Commits from two connections all the time; the broker is killed at random moments."""
    port, rng = running.free_port(), random.Random(3)
    acknowledged = [0, 0]
    sent = [0, 0]
    for cycle in range(12):
        with running.restartable(tmp_path, port, flush="always" if cycle % 2 else "none") as process:
            broker = running.Broker("archc", "127.0.0.1", port)
            with contextlib.ExitStack() as stack:
                socks = [stack.enter_context(connect(broker)) for _ in range(2)]
                topics = {"topics": [{"name": "orders"}], "allow_auto_topic_creation": True}
                ask(socks[0], METADATA, METADATA_VERSION, topics)
                for number, sock in enumerate(socks):
                    rows = fetched(sock, f"group-{number}", 9)
                    offset = rows[0][2] if rows else 0
                    assert acknowledged[number] <= offset <= sent[number]
                    sent[number] = acknowledged[number] = offset
                kill_at = time.monotonic() + rng.uniform(0.05, 0.4)
                with contextlib.suppress(OSError):
                    while True:
                        if time.monotonic() > kill_at:
                            process.kill()
                        for number, sock in enumerate(socks):
                            sent[number] += 1
                            assert commit(sock, f"group-{number}", sent[number]) == 0
                            acknowledged[number] = sent[number]
    assert min(acknowledged) > 100
