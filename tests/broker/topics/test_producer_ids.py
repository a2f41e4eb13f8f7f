"""Producer ids: never twice, whatever happens in between."""

import errno

import pytest

from archc.backends.broker.topics.cluster import ClusterStore
from archc.backends.broker.topics.producer_ids import BLOCK, ProducerIds
from tests.broker.storage.simulated import PowerLostError, SimulatedDisk


def empty() -> SimulatedDisk:
    disk = SimulatedDisk()
    disk.make_folder("data")
    disk.root.sync()
    return disk


def ids(disk: SimulatedDisk) -> ProducerIds:
    return ProducerIds(ClusterStore(disk, "data"))


def test_ids_are_never_given_out_twice() -> None:
    disk = empty()
    taken = []
    for count in (1, BLOCK, BLOCK + 1, 0, 3):
        giver = ids(disk)
        taken += [giver.take() for _ in range(count)]
        disk = disk.after_kill()
    assert len(taken) == len(set(taken)) == 2 * BLOCK + 5
    assert min(taken) >= 0


@pytest.mark.parametrize("stops_after", [False, True])
def test_a_power_cut_while_a_block_is_reserved_repeats_nothing(stops_after: bool) -> None:
    disk = empty()
    ids(disk)
    disk = disk.after_kill()
    taken: set[int] = set()
    for seed in range(60):
        disk.stop_at, disk.stops_after = seed % 20, stops_after
        try:
            giver = ids(disk)
            for _ in range(BLOCK + 1):
                new = giver.take()
                assert new not in taken
                taken.add(new)
        except PowerLostError:
            pass
        disk = disk.after_power_loss(seed)
    assert len(taken) > 2 * BLOCK


def test_a_disk_that_fails_gives_no_id_and_later_another() -> None:
    disk = empty()
    giver = ids(disk)
    disk.fault = lambda name, path: OSError(errno.ENOSPC, "No space left on device")
    for _ in range(3):
        with pytest.raises(OSError, match="No space"):
            giver.take()
    disk.fault = None
    first = giver.take()
    assert giver.take() == first + 1
    assert ids(disk.after_kill()).take() > first + 1
