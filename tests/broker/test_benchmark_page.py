"""The page of the broker's speed is what its figures say."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.broker import report

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def result() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((DOCS / "broker-benchmarks.json").read_text(encoding="utf-8"))
    return loaded


def test_tables_are_those_of_the_figures(result: dict[str, Any]) -> None:
    assert report.tables(result) in (DOCS / "broker-benchmarks.md").read_text(encoding="utf-8")


def test_what_misses_its_aim_is_told(result: dict[str, Any]) -> None:
    fine = copy.deepcopy(result)
    for row in fine["rows"]:
        row["archc"] |= {"mb_s": row["kafka"]["mb_s"], "broker_cpu_s_per_gb": 0.5}
    fine["starts"]["archc"] = {"ready_s": 0.2, "idle_mb": 50.0}
    assert report.shortfalls(fine) == []
    bad = copy.deepcopy(fine)
    row = next(row for row in bad["rows"] if row["aim_ratio"] and row["aim_cpu_s_per_gb"])
    row["archc"] |= {"mb_s": row["kafka"]["mb_s"] / 2, "broker_cpu_s_per_gb": 0.7}
    bad["starts"]["archc"] = {"ready_s": 0.4, "idle_mb": 70.0}
    told = report.shortfalls(bad)
    assert [line.partition(":")[0] for line in told[:2]] == [row["name"]] * 2
    assert told[2:] == [
        "first answer after 0.40 s, where the aim is 0.3 s",
        "70 MB idle, where the aim is 60 MB",
    ]
    assert all(f"- {line}" in report.tables(bad) for line in told)
