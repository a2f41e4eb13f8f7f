"""kcat, Debian's build on an older librdkafka, unmodified against a running broker."""

import json
import shutil
import subprocess

import pytest

from tests.broker.conftest import Fresh, NewTopicMaker

pytestmark = pytest.mark.skipif(not shutil.which("kcat"), reason="kcat is not installed")


def kcat(address: str, *arguments: str, given: str | None = None) -> str:
    """What kcat prints; CalledProcessError when it fails."""
    command = ["kcat", "-b", address, *arguments]
    return subprocess.run(command, input=given, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.mark.parametrize("compression", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_lines_there_and_back(address: str, new_topic: NewTopicMaker, compression: str) -> None:
    topic = new_topic()
    lines = "".join(f"{number}:line {number} {'x' * 200}\n" for number in range(500))
    kcat(address, "-P", "-t", topic, "-K:", "-z", compression, "-H", "trace=abc", given=lines)
    output = kcat(address, "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-J")
    messages = [json.loads(line) for line in output.splitlines()]
    assert "".join(f"{message['key']}:{message['payload']}\n" for message in messages) == lines
    assert messages[0]["headers"] == ["trace", "abc"]
    assert [message["offset"] for message in messages] == list(range(500))


def test_metadata(address: str, new_topic: NewTopicMaker) -> None:
    topic = new_topic(partitions=3)
    metadata = json.loads(kcat(address, "-L", "-J", "-t", topic))
    assert [broker["name"] for broker in metadata["brokers"]] == [address]
    described = next(entry for entry in metadata["topics"] if entry["topic"] == topic)
    assert [partition["partition"] for partition in described["partitions"]] == [0, 1, 2]


def test_offsets_by_time_and_from_the_end(address: str, new_topic: NewTopicMaker) -> None:
    topic = new_topic()
    kcat(address, "-P", "-t", topic, given="one\ntwo\nthree\n")
    assert kcat(address, "-Q", "-t", f"{topic}:0:0").split() == [topic, "[0]", "offset", "0"]
    assert kcat(address, "-Q", "-t", f"{topic}:0:-1").split()[-1] == "3"
    assert kcat(address, "-C", "-t", topic, "-o", "-2", "-e", "-q") == "two\nthree\n"


def test_a_group_and_an_idempotent_producer(address: str, new_topic: NewTopicMaker, fresh: Fresh) -> None:
    topic = new_topic(partitions=2)
    given = "".join(f"{number}\n" for number in range(200))
    kcat(address, "-P", "-t", topic, "-X", "enable.idempotence=true", given=given)
    options = ["-X", "auto.offset.reset=earliest", "-q", "-e"]
    output = kcat(address, "-G", fresh("group"), *options, topic)
    assert sorted(map(int, output.split())) == list(range(200))


@pytest.mark.usefixtures("transactions")
def test_a_transaction(address: str, new_topic: NewTopicMaker, fresh: Fresh) -> None:
    topic = new_topic()
    kcat(address, "-P", "-t", topic, "-X", f"transactional.id={fresh('id')}", given="one\ntwo\n")
    assert kcat(address, "-C", "-t", topic, "-o", "beginning", "-e", "-q") == "one\ntwo\n"
