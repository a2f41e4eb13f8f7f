"""Transactions through a few kills in each flush mode: everything once, and nothing of what was aborted."""

from pathlib import Path

import pytest

from tests.broker.faults import exactly_once

CYCLES = 5


@pytest.mark.parametrize("flush", ["always", "none"])
def test_each_number_comes_out_exactly_once(flush: str, tmp_path: Path) -> None:
    tally, broken = exactly_once.run(tmp_path, CYCLES, flush, seed=11)
    assert not broken
    assert tally.kills == CYCLES
    assert len(tally.sent) > 500
    assert min(tally.commits, tally.aborts) > 5
