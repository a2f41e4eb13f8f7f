"""Malformed frames in their short form: every API answers or closes, whatever it is sent."""

import resource
import struct
from pathlib import Path

import pytest

from archc.backends.broker.apis import APIS
from archc.backends.broker.protocol.notation import schema
from archc.backends.broker.security.scram import ITERATIONS_MIN
from archc.backends.broker.security.users import user_line_of_password
from tests.broker.apis.desk import Line, desk
from tests.broker.faults import malformed

FRAMES = 4_000
MEMORY_BYTES_MAX = 150_000_000
FRAME_BYTES = 300_000


@pytest.mark.parametrize("seed", [1, 2])
def test_every_frame_is_answered_or_closes_the_connection(tmp_path: Path, seed: int) -> None:
    outcome = malformed.run(tmp_path, FRAMES, seed)
    assert not outcome.faults, "\n\n".join(outcome.faults)
    # The frames reach the handlers, and some of them are good.
    assert outcome.counts["answered"] > FRAMES // 4
    assert outcome.counts["closed"] > FRAMES // 10


def test_before_the_login_too(tmp_path: Path) -> None:
    users = tmp_path / "users"
    users.write_text(user_line_of_password("there", "x", ITERATIONS_MIN) + "\n", encoding="utf-8")
    outcome = malformed.run(tmp_path, 500, 3, users)
    assert not outcome.faults, "\n\n".join(outcome.faults)


def test_a_null_in_a_list_of_names_cannot_be_read(tmp_path: Path) -> None:
    null, list_groups = b"\x00", 16
    with desk(tmp_path) as broker:
        head = struct.pack(">hhih", list_groups, 5, 7, -1) + b"\0"
        assert broker.line.send(head + b"\x01" + b"\x02" + null + b"\0") == b""
        assert broker.line.closing_reason.endswith("types_filter is null")


# As many elements as a request may have, and more than any could: as plain lengths, and as varints.
LENGTHS = {
    False: (b"\x00\x03\x0d\x40", b"\x7f\xff\xff\xff"),
    True: (b"\xc0\x9a\x0c", b"\xff\xff\xff\xff\x07"),
}


def test_lengths_that_lie_take_little_memory(tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with desk(tmp_path) as broker:
        broker.topics.create("there", 1, {})
        for api in APIS:
            for version in {max(api.min_version, schema(api.key).first), api.max_version}:
                is_flexible = version >= schema(api.key).flexible
                head = struct.pack(">hhih", api.key, version, 7, -1) + b"\0" * is_flexible
                for length in LENGTHS[is_flexible]:
                    line = Line(broker)
                    line.send(head + length + (b"\1" if is_flexible else b"\0") * FRAME_BYTES)
                    assert line.closing_reason != "an internal error", api.name
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kb * 1024 < MEMORY_BYTES_MAX
