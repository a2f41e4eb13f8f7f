"""Types, settings, buckets, workers."""

import asyncio
import datetime
import decimal
import os
import signal
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import hypothesis
import pydantic
import pytest
from hypothesis import strategies

from archc.backends.services.runtime import types, worker
from archc.backends.services.runtime.bucket import Bucket
from archc.backends.services.runtime.lifecycle import Lifecycle
from archc.backends.services.runtime.settings import MissingSettingsError, Reader


def read(kind: Any, json: str) -> Any:
    return pydantic.TypeAdapter(kind).validate_json(json, strict=True)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (types.Decimal, ['"12.50"', '"-0.000000000000001"'], ["12.5", "1", '"1e5"', '"NaN"', '"1."', '""']),
        (types.Timestamp, ['"2026-01-31T12:00:00Z"'], ['"2026-01-31T12:00:00"', '"soon"', "1"]),
        (types.Date, ['"2026-01-31"'], ['"2026-02-30"', '"2026-01-31T12:00:00Z"']),
        (types.Uuid, ['"6f1d5a52-0f5c-4b7e-9a3d-2c8e1f0b7d64"'], ['"6f1d"', "1"]),
        (types.Email, ['"a@b"'], ['"a"', '"@b"', '"a b@c"', '"a@b@c"']),
        (types.Int, ["1", str(2**63 - 1)], [str(2**63), "1.5", '"1"', "true"]),
        (types.Bytes, ['"YWJj"', '""'], ['"a"', "1"]),
        (types.Many[int], ["[1]", "[]"], ["[null]", '["1"]', "{}", f"[{'1,' * 1000}1]"]),
        (types.Url, ['"https://example.com/x"'], ['"nowhere"']),
        (types.Duration, ['"PT15M"'], ['"quarter"']),
    ],
)  # fmt: skip
def test_types_are_exact(kind: Any, good: list[str], bad: list[str]) -> None:
    for text in good:
        read(kind, text)
    for text in bad:
        with pytest.raises(pydantic.ValidationError):
            read(kind, text)


@hypothesis.given(
    strategies.decimals(
        allow_nan=False, allow_infinity=False, min_value=-(10**17), max_value=10**17, places=6
    )
)
def test_a_decimal_is_written_so_that_it_can_be_read(value: decimal.Decimal) -> None:
    kind = pydantic.TypeAdapter[decimal.Decimal](types.Decimal)
    assert kind.validate_json(kind.dump_json(value)) == value


@hypothesis.given(strategies.text())
def test_a_part_of_a_path_stays_one_part(text: str) -> None:
    if text in ("", ".", ".."):
        with pytest.raises(ValueError, match="leads elsewhere"):
            types.path("/a/{}/b", text)
        return
    try:
        path = types.path("/a/{}/b", text)
    except UnicodeEncodeError:  # half of a character
        return
    assert path.count("/") == 3
    assert not {"?", "#"} & set(path)


def test_the_rest_of_a_path_keeps_its_slashes() -> None:
    assert types.path("/files/{}", types.Rest("a/b c")) == "/files/a/b%20c"
    with pytest.raises(ValueError, match="leads elsewhere"):
        types.path("/files/{}", types.Rest("a/../b"))


# ---- settings


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    read = Reader({"SECRETS_FOLDER": str(tmp_path), "PORT": "-1", "URL": "nowhere", "LEVEL": "loud"})
    assert read.text("NAME") == ""
    assert read.number("PORT", 8080) == 8080
    read.url("URL")
    read.url("DATABASE_URL", file="password")
    read.choice("LEVEL", "info", ("info",))
    with pytest.raises(MissingSettingsError) as caught:
        read.finish()
    assert len(caught.value.faults) == 5
    assert all(word in str(caught.value) for word in ("NAME", "PORT", "URL", "DATABASE_URL", "LEVEL"))


@hypothesis.given(
    strategies.text(strategies.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), min_size=1)
)
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_any_password_fits_into_a_url(tmp_path: Path, password: str) -> None:
    (tmp_path / "password").write_text(f"{password}\n", encoding="utf-8", newline="")
    read = Reader({"SECRETS_FOLDER": str(tmp_path), "URL": "postgresql://user@host:5432/name"})
    parts = urlsplit(read.url("URL", file="password"))
    read.finish()
    assert (parts.username, parts.hostname, parts.port, parts.path) == ("user", "host", 5432, "/name")


# ---- buckets


def test_urls_are_signed_as_the_documentation_of_s3_shows() -> None:
    key, secret = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI%2FK7MDENG%2FbPxRfiCYEXAMPLEKEY"
    bucket = Bucket("b", f"https://{key}:{secret}@examplebucket.s3.amazonaws.com")
    at = datetime.datetime(2013, 5, 24, tzinfo=datetime.UTC)
    query = parse_qs(urlsplit(bucket.url("test.txt", expires_s=86400, at=at)).query)
    assert query["X-Amz-Signature"] == ["aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"]


# ---- workers


def test_a_worker_shows_that_it_lives_and_ends_when_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert not worker.is_alive()

    async def task() -> None:
        await asyncio.sleep(0.05)
        assert worker.is_alive()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(5)

    begin = time.monotonic()
    worker.work(Lifecycle((), tasks=[task]))
    assert time.monotonic() - begin < 3
    os.utime(worker.beat_file(), (0, 0))
    assert not worker.is_alive()


def test_a_job_says_how_it_went() -> None:
    async def good() -> None:
        return

    async def bad() -> None:
        raise RuntimeError

    async def unwritten() -> None:
        raise NotImplementedError

    prepared = []

    async def prepare() -> None:
        prepared.append(1)

    lifecycle = lambda: Lifecycle((), [prepare])  # noqa: E731
    assert [worker.run_once(lifecycle(), job, "a.arch:1") for job in (good, bad, unwritten)] == [0, 1, 1]
    assert prepared
