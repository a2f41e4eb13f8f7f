"""Looking into the files of a data folder that a real broker wrote, whole and damaged."""

import asyncio
import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from archc.backends.broker.broker import Broker as InProcess
from archc.backends.broker.operations.tools.client import Access, Client
from archc.backends.broker.operations.tools.commands import run
from archc.backends.broker.operations.tools.topics import create_topic
from archc.backends.broker.settings import Address, Settings
from archc.backends.broker.storage.checkpoint import CLEAN_MARKER
from archc.backends.broker.storage.disk import LocalDisk
from tests.broker.operations.test_pages import serving
from tests.broker.running import archc_broker

RECORDS = 120
Shown = tuple[int, str, str]
Look = Callable[..., Shown]


@pytest.fixture
def look(capsys: pytest.CaptureFixture[str]) -> Look:
    """Runs a tool: its exit code, what it shows and what it says is wrong."""

    def look(*arguments: object) -> Shown:
        code = run([str(argument) for argument in arguments], "logbroker")
        return (code, *capsys.readouterr())

    return look


async def _send(address: str, count: int, first_key: bytes | None = None) -> None:
    async with AIOKafkaProducer(bootstrap_servers=address, acks="all", enable_idempotence=True) as producer:
        for number in range(count):
            headers = [("trace", b"\x00\xff")] if number == 7 else []
            value, key = b"%d " % number + bytes(200), b"key" if number else first_key
            await producer.send_and_wait("orders", value, key, headers=headers)


async def _use(address: str) -> None:
    """Records in a plain topic of several segments and in a compacted one, and a group."""
    await _send(address, RECORDS)
    async with AIOKafkaProducer(bootstrap_servers=address) as producer:
        await producer.send_and_wait("customers", b"\xff\xfe", b"k")
    async with AIOKafkaConsumer(
        "orders", bootstrap_servers=address, group_id="mailer", auto_offset_reset="earliest"
    ) as consumer:
        await consumer.getone()
        await consumer.commit({TopicPartition("orders", 0): 1})


def _make(folder: Path, how: int) -> Path:
    """The data folder of a broker that was ended by a signal."""
    with archc_broker(folder, flush="always") as broker:
        with Client(Access(Address(broker.host, broker.port))) as client:
            create_topic(client, "orders", 1, {"segment.bytes": "4096", "index.interval.bytes": "512"})
            create_topic(client, "customers", 1, {"cleanup.policy": "compact"})
            create_topic(client, "empty", 1, {})
        asyncio.run(_use(broker.address))
        os.kill(broker.pid, how)
    return folder / "data"


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _make(tmp_path_factory.mktemp("clean"), signal.SIGTERM)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _make(tmp_path_factory.mktemp("killed"), signal.SIGKILL)


@pytest.fixture(scope="module")
def killed_later(clean: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that was stopped well, opened again, and killed after it had grown by one record."""
    folder = tmp_path_factory.mktemp("later")
    shutil.copytree(clean, folder / "data")
    with archc_broker(folder, flush="always") as broker:
        asyncio.run(_send(broker.address, 1))
        os.kill(broker.pid, signal.SIGKILL)
    return folder / "data"


@pytest.fixture
def copy(clean: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(clean, tmp_path / "data"))


def files(folder: Path, suffix: str) -> list[Path]:
    return sorted((folder / "orders-0").glob(f"*{suffix}"))


def flip(path: Path, position: int) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 0x10
    path.write_bytes(data)


# ---- verify


@pytest.mark.parametrize(("how", "more"), [("clean", 0), ("killed", 0), ("killed_later", 1)])
def test_what_a_broker_leaves_is_well(
    how: str, more: int, look: Look, request: pytest.FixtureRequest
) -> None:
    folder: Path = request.getfixturevalue(how)
    code, out, _ = look("verify", folder, "--format", "json")
    report = json.loads(out)
    assert (code, report["findings"]) == (0, [])
    assert report["partitions"] == 3
    assert report["batches"] == RECORDS + 1 + more
    assert report["segments"] > 5
    assert report["bytes"] == sum(path.stat().st_size for path in folder.glob("*-0/*.log"))
    assert look("verify", folder)[1].endswith(": no damage\n")


def test_nothing_is_changed(copy: Path, look: Look) -> None:
    flip(files(copy, ".log")[0], 100)
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    assert look("verify", copy)[0] == 1
    assert before == {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}


@pytest.mark.parametrize("suffix", [".log", ".index", ".timeindex", ".snapshot"])
def test_any_changed_bit_of_a_full_segment_is_found(suffix: str, copy: Path, look: Look) -> None:
    path = files(copy, suffix)[0]
    size = path.stat().st_size
    assert size
    for position in range(0, size, max(1, size // 50)):
        flip(path, position)
        code, out, _ = look("verify", copy)
        assert code == 1, position
        assert f"damage: {path}" in out, position
        flip(path, position)
    assert look("verify", copy)[0] == 0


def test_any_cut_of_a_full_segment_is_found(copy: Path, look: Look) -> None:
    path = files(copy, ".log")[0]
    data = path.read_bytes()
    for size in range(0, len(data), 97):
        path.write_bytes(data[:size])
        assert look("verify", copy)[0] == 1, size


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ("orders-0/*0.log", "a full segment is missing"),
        ("orders-0/*0.index", "it is missing"),
        ("orders-0", "the folder of a partition is missing"),
        ("cluster.json", "it is missing"),
    ],
)
def test_what_is_missing_is_found(names: str, text: str, copy: Path, look: Look) -> None:
    path = sorted(copy.glob(names))[0]
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    code, out, _ = look("verify", copy)
    assert code == 1
    assert f"damage: {path}: {text}" in out


@pytest.mark.parametrize(
    "name",
    [
        "cluster.json",
        "recovery-point-offset-checkpoint",
        "orders-0/sealed-segments",
        "__consumer_offsets/*.log",
    ],
)
def test_a_changed_bit_of_the_small_files_is_found(name: str, copy: Path, look: Look) -> None:
    (path,) = copy.glob(name)
    flip(path, 30)
    code, out, _ = look("verify", copy)
    assert code == 1
    assert f"damage: {path}" in out


def test_a_torn_end_is_damage_only_after_an_orderly_stop(copy: Path, look: Look) -> None:
    path = files(copy, ".log")[-1]
    with path.open("ab") as file:
        file.write(b"torn")
    assert look("verify", copy)[0] == 1
    (copy / CLEAN_MARKER).unlink()
    code, out, _ = look("verify", copy)
    assert code == 0
    assert "note:" in out and "the next start cuts them off" in out


def test_what_was_on_the_disk_and_is_gone_is_damage_after_a_crash_too(copy: Path, look: Look) -> None:
    (copy / CLEAN_MARKER).unlink()
    path = files(copy, ".log")[-1]
    os.truncate(path, path.stat().st_size - 1)
    code, out, _ = look("verify", copy)
    assert code == 1
    assert "damage:" in out


def test_reading_goes_on_behind_damage(copy: Path, look: Look) -> None:
    flip(files(copy, ".log")[0], 100)
    report = json.loads(look("verify", copy, "--format", "json")[1])
    assert report["batches"] == RECORDS
    assert [finding["text"] for finding in report["findings"] if finding["path"].endswith(".log")] == [
        "the batch with offset 0 has a wrong checksum"
    ]


def test_strays_are_noted(copy: Path, look: Look) -> None:
    shutil.copytree(copy / "customers-0", copy / "others-0")
    code, out, _ = look("verify", copy)
    assert code == 0
    assert f"note: {copy / 'others-0'}: it belongs to no topic" in out


def test_folders_that_cannot_be_checked(copy: Path, tmp_path: Path, look: Look) -> None:
    (tmp_path / "empty").mkdir()
    assert look("verify", tmp_path / "empty")[2].endswith("is no data folder of a broker\n")
    assert look("verify", tmp_path / "none") == (
        1,
        "",
        f"error: {tmp_path / 'none'}: No such file or directory\n",
    )
    lock = LocalDisk().lock(str(copy / ".lock"))
    assert look("verify", copy)[2] == f"error: a broker uses the folder `{copy}`: stop it first\n"
    os.close(lock)


def test_a_compacted_log_is_well(tmp_path: Path, look: Look) -> None:
    broker = InProcess(Settings(tmp_path / "data", Address("127.0.0.1", 0)))
    with serving(broker):
        address = Address("127.0.0.1", broker.server.port)
        configs = {"cleanup.policy": "compact", "segment.bytes": "4096", "min.cleanable.dirty.ratio": "0"}
        with Client(Access(address)) as client:
            create_topic(client, "orders", 1, configs)
        asyncio.run(_send(str(address), RECORDS, b"key"))
        deadline = time.monotonic() + 60
        while sum(path.stat().st_size for path in files(tmp_path / "data", ".log")) > 10_000:
            assert time.monotonic() < deadline, "nothing was compacted"
            broker.loop.call(broker._keep_house)
            time.sleep(0.5)
    code, out, _ = look("verify", tmp_path / "data", "--format", "json")
    report = json.loads(out)
    assert (code, report["findings"]) == (0, [])
    assert report["batches"] < RECORDS / 2


# ---- dump


def _lines(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_batches_and_records_are_dumped(clean: Path, look: Look) -> None:
    batches: list[dict[str, Any]] = []
    records: list[dict[str, Any]] = []
    for path in files(clean, ".log"):
        code, out, _ = look("dump", path, "--records", "--format", "json")
        assert code == 0
        for entry in _lines(out):
            (records if "offset" in entry else batches).append(entry)
    assert [batch["base_offset"] for batch in batches] == list(range(RECORDS))
    assert all(batch["is_whole"] and batch["count"] == 1 for batch in batches)
    assert [batch["base_sequence"] for batch in batches] == list(range(RECORDS))
    assert [record["value"] for record in records] == [f"{n} " + "\0" * 200 for n in range(RECORDS)]
    assert [record["key"] for record in records[:2]] == [None, "key"]
    # One header: its key and its value, each behind its length, which is zig-zag coded.
    assert records[7]["headers"] == {"base64": base64.b64encode(b"\x02\x0atrace\x04\x00\xff").decode()}
    (customers,) = (clean / "customers-0").glob("*.log")
    assert _lines(look("dump", customers, "--records", "--format", "json")[1])[1]["value"] == {
        "base64": "//4="
    }


def test_indexes_and_producers_are_dumped(clean: Path, look: Look) -> None:
    log, index = files(clean, ".log")[0], files(clean, ".index")[0]
    batches = _lines(look("dump", log, "--format", "json")[1])
    starts = {batch["position"]: batch["base_offset"] for batch in batches}
    entries = _lines(look("dump", index, "--format", "json")[1])
    assert len(entries) > 3
    assert all(starts[entry["position"]] == entry["relative_offset"] for entry in entries)
    times = _lines(look("dump", files(clean, ".timeindex")[0], "--format", "json")[1])
    assert times[-1]["timestamp"] == max(batch["max_timestamp"] for batch in batches)
    (producer,) = _lines(look("dump", files(clean, ".snapshot")[-1], "--format", "json")[1])
    assert producer["batches"][-1]["last_offset"] == producer["batches"][-1]["last_sequence"]


def test_text_is_a_line_each_whatever_is_in_it(clean: Path, look: Look) -> None:
    _, out, _ = look("dump", files(clean, ".log")[0], "--records")
    first, second, *_ = out.splitlines()
    assert first.startswith("position=0 base_offset=0 last_offset=0 count=1 size=")
    assert second.startswith("offset=0 timestamp=") and 'value="0 \\u0000' in second


def test_damage_ends_a_dump_with_a_reason(copy: Path, tmp_path: Path, look: Look) -> None:
    log = files(copy, ".log")[0]
    flip(log, 100)
    assert not _lines(look("dump", log, "--format", "json")[1])[0]["is_whole"]
    os.truncate(log, log.stat().st_size - 1)
    code, out, err = look("dump", log)
    assert code == 1
    assert out.startswith("position=0") and "no batch at byte" in err
    flip(files(copy, ".snapshot")[0], 20)
    assert "its checksum is wrong" in look("dump", files(copy, ".snapshot")[0])[2]
    assert "is none of .log, .index" in look("dump", copy / "cluster.json")[2]
    assert "No such file" in look("dump", tmp_path / "none.log")[2]


def test_a_reader_who_stops_reading_ends_a_dump(clean: Path) -> None:

    program = [
        sys.executable,
        "-m",
        "archc.backends.broker",
        "dump",
        str(files(clean, ".log")[0]),
        "--records",
    ]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 1
