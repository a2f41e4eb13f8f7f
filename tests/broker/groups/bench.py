"""A coordinator over fake time and a fake disk, and members that talk to it."""

import errno
import itertools
import os
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from archc.backends.broker.groups.coordinator import GroupCoordinator
from archc.backends.broker.groups.group import Group
from archc.backends.broker.groups.messages import (
    JoinRequest,
    JoinResult,
    MemberIdentity,
    Protocol,
    SyncRequest,
    SyncResult,
)
from archc.backends.broker.groups.offsets import Committed, OffsetStore, Partition
from archc.backends.broker.groups.settings import GroupSettings
from archc.backends.broker.protocol.errors import ErrorCode
from archc.backends.broker.storage.files import FilePool
from archc.backends.broker.storage.journal import Journal
from tests.broker.fakes import FakeTimers
from tests.broker.storage.simulated import SimulatedDisk, empty_disk

GROUP = "billing"
OFFSETS = "/data/offsets"
SETTINGS = GroupSettings(initial_rebalance_delay_ms=100, new_member_timeout_ms=60_000)


@contextmanager
def failing(disk: SimulatedDisk, calls: Container[str], error_number: int = errno.EIO) -> Iterator[None]:
    """Let all calls of some names fail."""

    def fault(name: str, path: str) -> OSError | None:
        return OSError(error_number, os.strerror(error_number)) if name in calls else None

    disk.fault = fault
    yield
    disk.fault = None


class SlowFlusher:
    """Syncs when the test says so, as the flusher's thread would some time later."""

    def __init__(self, disk: SimulatedDisk) -> None:
        self._disk = disk
        self._waiting = []
        self.is_immediate = True

    def wait(self, target, done) -> None:
        self._waiting.append((target, done))
        if self.is_immediate:
            self.run()

    def run(self) -> None:
        """One round: one sync of each target for all that wait for it."""
        waiting, self._waiting = self._waiting, []
        errors = {}
        for target in dict.fromkeys(target for target, _ in waiting):
            try:
                job = target.begin_sync()
                for file in job.files:
                    self._disk.sync(file.fd)
            except OSError as error:
                errors[target] = error
                target.fail(error)
            else:
                target.end_sync(job)
        for target, done in waiting:
            done(errors.get(target))


@dataclass
class Bench:
    """Everything of a broker that groups need."""

    settings: GroupSettings = SETTINGS
    disk: SimulatedDisk = field(default_factory=empty_disk)
    timers: FakeTimers = field(default_factory=FakeTimers)
    is_flushed: bool = True

    def __post_init__(self) -> None:
        self.flusher = SlowFlusher(self.disk)
        self.journal = Journal(FilePool(self.disk), OFFSETS)
        self.offsets = OffsetStore(self.journal, self.timers, self.flusher.wait, self.is_flushed)
        numbers = itertools.count(1)
        self.coordinator = GroupCoordinator(
            self.timers, self.offsets, self.settings, lambda name: f"{name}-{next(numbers)}"
        )

    @property
    def group(self) -> Group:
        """The group of the tests."""
        group = self.coordinator.group(GROUP)
        assert group is not None
        return group

    def member(self, client_id: str = "c", **options: object) -> "Client":
        """A client of the group."""
        return Client(self, client_id, **options)

    def stable(self, *clients: "Client") -> None:
        """Bring a new group of these clients to Stable."""
        for client in clients:
            client.join()
        self.timers.advance(self.settings.initial_rebalance_delay_ms)
        while any(client.joined is None for client in clients):
            self.timers.advance(self.settings.initial_rebalance_delay_ms)
        for client in clients:
            client.sync()
        assert self.group.state == "Stable"

    def restarted(self) -> "Bench":
        """The next process after a kill, on the same disk."""
        return Bench(self.settings, self.disk.after_kill(), is_flushed=self.is_flushed)


class Client:
    """A member as a client library plays it: joins twice for its id, shares out if it leads."""

    def __init__(
        self,
        bench: Bench,
        client_id: str,
        instance_id: str | None = None,
        protocols: tuple[tuple[str, bytes], ...] = (("range", b"r"),),
        session_timeout_ms: int = 10_000,
        rebalance_timeout_ms: int = 30_000,
        version: int = 9,
    ) -> None:
        self.bench = bench
        self.client_id = client_id
        self.instance_id = instance_id
        self.protocols = protocols
        self.session_timeout_ms = session_timeout_ms
        self.rebalance_timeout_ms = rebalance_timeout_ms
        self.version = version
        self.member_id = ""
        self.generation = -1
        self.joined: JoinResult | None = None
        self.synced: SyncResult | None = None

    @property
    def identity(self) -> MemberIdentity:
        return MemberIdentity(self.member_id, self.instance_id)

    def join(self, protocol_type: str = "consumer") -> JoinResult | None:
        """Send one JoinGroup, and a second one with the id that the first may bring."""
        self.joined = self.synced = None
        self.bench.coordinator.join(self._join_request(protocol_type), self._on_joined)
        if self.joined is not None and self.joined.error is ErrorCode.MEMBER_ID_REQUIRED:
            self.member_id = self.joined.member_id
            self.joined = None
            self.bench.coordinator.join(self._join_request(protocol_type), self._on_joined)
        return self.joined

    def renew(self, metadata: bytes = b"new") -> JoinResult | None:
        """Join again with something new to say, which makes the group rebalance."""
        self.protocols = tuple((name, metadata) for name, _ in self.protocols)
        return self.join()

    def _join_request(self, protocol_type: str) -> JoinRequest:
        return JoinRequest(
            GROUP,
            self.member_id,
            self.instance_id,
            self.client_id,
            "127.0.0.1",
            self.session_timeout_ms,
            self.rebalance_timeout_ms,
            protocol_type,
            tuple(Protocol(*each) for each in self.protocols),
            needs_member_id=self.version >= 4,
            can_skip_assignment=self.version >= 9,
        )

    def _on_joined(self, result: JoinResult) -> None:
        assert self.joined is None, "a join was answered twice"
        self.joined = result
        if result.error is ErrorCode.NONE:
            self.member_id = result.member_id
            self.generation = result.generation

    def sync(self, assignments: dict[str, bytes] | None = None) -> SyncResult | None:
        """Send SyncGroup; a leader gives each member its own id as its share unless told otherwise."""
        self.synced = None
        joined = self.joined
        if assignments is None and joined is not None and joined.leader_id == self.member_id:
            assignments = {each.member_id: each.member_id.encode() for each in joined.members}
        request = SyncRequest(
            GROUP, self.member_id, self.instance_id, self.generation, assignments=assignments or {}
        )
        self.bench.coordinator.sync(request, self._on_synced)
        return self.synced

    def _on_synced(self, result: SyncResult) -> None:
        assert self.synced is None, "a sync was answered twice"
        self.synced = result

    def heartbeat(self) -> ErrorCode:
        return self.bench.coordinator.heartbeat(GROUP, self.identity, self.generation)

    def leave(self) -> ErrorCode:
        return self.bench.coordinator.leave(GROUP, [self.identity])[0]

    def commit(self, offset: int, topic: str = "orders") -> ErrorCode | None:
        """Commit an offset of partition 0; None while the answer is not there."""
        answers: list[ErrorCode] = []
        offsets = {Partition(topic, 0): Committed(offset)}
        self.bench.coordinator.commit(GROUP, self.identity, self.generation, offsets, answers.append)
        return answers[0] if answers else None


def committed(bench: Bench, topic: str = "orders") -> int | None:
    """The group's offset in partition 0."""
    each = bench.offsets.committed(GROUP).get(Partition(topic, 0))
    return None if each is None else each.offset
