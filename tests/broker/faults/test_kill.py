"""A few kills in each flush mode: a killed process loses nothing, wherever its bytes were."""

from pathlib import Path

import pytest

from tests.broker.faults import kill

CYCLES = 4


@pytest.mark.parametrize("flush", ["always", "interval:50", "none"])
def test_nothing_acknowledged_is_lost_or_doubled(flush: str, tmp_path: Path) -> None:
    promises, broken, kills = kill.run(tmp_path, CYCLES, flush, seed=7)
    assert not broken
    assert kills == CYCLES
    assert promises.records >= promises.kept > 1_000
    assert not promises.acknowledged
