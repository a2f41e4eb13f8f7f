"""Topics declared in a file: made, grown and set at each start, and nothing taken away."""

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from archc.backends.broker.topics.declared import (
    DeclaredTopic,
    DeclaredTopicsError,
    apply_declared,
    parse_declared,
)
from tests.broker.running import free_port
from tests.broker.topics.test_catalog import opened, state

COMPACT = {"cleanup.policy": "compact"}
HOUR = {"retention.ms": "3600000"}


def test_what_is_missing_is_made(tmp_path: Path) -> None:
    with opened(tmp_path) as catalog:
        apply_declared(catalog, [DeclaredTopic("a", 3, COMPACT), DeclaredTopic("b", 1, {})])
        made = state(catalog)
        assert {name: each[:2] for name, each in made.items()} == {"a": (3, COMPACT), "b": (1, {})}
    with opened(tmp_path) as catalog:
        apply_declared(catalog, [DeclaredTopic("a", 3, COMPACT), DeclaredTopic("b", 1, {})])
        assert state(catalog) == made


def test_what_is_there_grows_and_is_set_and_loses_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(tmp_path) as catalog:
        catalog.create("a", 2, HOUR)
        catalog.create("b", 4, {})
        catalog.create("mine", 1, {})
        with caplog.at_level(logging.WARNING):
            apply_declared(catalog, [DeclaredTopic("a", 5, COMPACT), DeclaredTopic("b", 1, {})])
        assert "more partitions than declared" in caplog.text
        assert {name: each[:2] for name, each in state(catalog).items()} == {
            "a": (5, {**HOUR, **COMPACT}),
            "b": (4, {}),
            "mine": (1, {}),
        }
        log = catalog.log("a", 4)
        assert log is not None
        assert log.config.cleanup_policy == {"compact"}


def test_what_cannot_be_made_says_so(tmp_path: Path) -> None:
    with opened(tmp_path) as catalog:
        with pytest.raises(DeclaredTopicsError, match="topic a: this broker holds at most 20 partitions"):
            apply_declared(catalog, [DeclaredTopic("a", 21, {})])
        assert len(catalog) == 0


def test_a_file_is_read() -> None:
    text = '{"topics": [{"name": "a", "partitions": 2, "configs": {"retention.ms": "1"}}, {"name": "b"}]}'
    assert parse_declared(text) == [
        DeclaredTopic("a", 2, {"retention.ms": "1"}),
        DeclaredTopic("b", 1, {}),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("[]", "it is not"),
        ('{"topics": {}}', "it is not"),
        ('{"topics": [], "more": 1}', "it is not"),
        ('{"topics": ["a"]}', "every topic has a name"),
        ('{"topics": [{"partitions": 1}]}', "every topic has a name"),
        ('{"topics": [{"name": "a", "keep": 1}]}', "topic a: nobody knows keep"),
        ('{"topics": [{"name": "a", "partitions": 0}]}', "topic a: partitions is a number from 1 on"),
        ('{"topics": [{"name": "a", "partitions": true}]}', "topic a: partitions is a number"),
        ('{"topics": [{"name": "a", "partitions": "2"}]}', "topic a: partitions is a number"),
        ('{"topics": [{"name": "a", "configs": {"retention.ms": 1}}]}', "topic a: configs has a text"),
        ('{"topics": [{"name": "a", "configs": {"retention.ms": "soon"}}]}', "topic a: .*retention.ms"),
        ('{"topics": [{"name": "a", "configs": {"min.insync.replicas": "2"}}]}', "topic a: .*engine kafka"),
        ('{"topics": [{"name": "a/b"}]}', "topic a/b: a topic's name has"),
        ('{"topics": [{"name": "a"}, {"name": "a"}]}', "it declares a twice"),
    ],
)
def test_a_file_that_is_none_says_why(text: str, problem: str) -> None:
    with pytest.raises(DeclaredTopicsError, match=problem):
        parse_declared(text)


def test_a_broker_with_a_broken_file_does_not_start(tmp_path: Path) -> None:
    for text, problem in ((b"{", "it is not JSON"), (b"\xff", "utf-8"), (None, "No such file")):
        file = tmp_path / "topics.json"
        file.unlink(missing_ok=True)
        if text is not None:
            file.write_bytes(text)
        command = [sys.executable, "-m", "archc.backends.broker", "--data", str(tmp_path / "data")]
        command += ["--listen", f"127.0.0.1:{free_port()}", "--topics", str(file)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=30)
        assert run.returncode == 1
        line = json.loads(run.stderr.splitlines()[-1])
        assert str(file) in line["message"] and problem in line["message"]
        assert "Traceback" not in run.stderr
