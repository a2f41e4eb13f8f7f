"""Producer ids: never twice, whatever happens in between."""

from pathlib import Path

import pytest

from archc.backends.broker.storage.disk import LocalDisk
from archc.backends.broker.topics.cluster import ClusterStore
from archc.backends.broker.topics.producer_ids import BLOCK, ProducerIds
from tests.broker.topics.disks import FailingDisk, KilledDisk, KilledError


def ids(folder: Path, disk: LocalDisk | None = None) -> ProducerIds:
    return ProducerIds(ClusterStore(disk or LocalDisk(), str(folder)))


def test_ids_are_never_given_out_twice(tmp_path: Path) -> None:
    taken = []
    for count in (1, BLOCK, BLOCK + 1, 0, 3):
        giver = ids(tmp_path)
        taken += [giver.take() for _ in range(count)]
    assert len(taken) == len(set(taken)) == 2 * BLOCK + 5
    assert min(taken) >= 0


def test_a_kill_while_a_block_is_reserved_repeats_nothing(tmp_path: Path) -> None:
    taken: set[int] = set()
    for at in range(1, 40):
        try:
            giver = ids(tmp_path, KilledDisk(at))
            for _ in range(BLOCK + 1):
                new = giver.take()
                assert new not in taken
                taken.add(new)
        except KilledError:
            continue
    assert len(taken) > BLOCK


def test_a_disk_that_fails_gives_no_id_and_later_another(tmp_path: Path) -> None:
    ids(tmp_path)
    giver = ids(tmp_path, FailingDisk(1, 10))
    with pytest.raises(OSError, match="Input/output"):
        giver.take()
    while True:
        try:
            first = giver.take()
            break
        except OSError:
            continue
    assert giver.take() == first + 1
    assert ids(tmp_path).take() > first + 1
