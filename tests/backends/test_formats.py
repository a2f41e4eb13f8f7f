"""What archc.backends.formats writes reads back as what was meant, by any reader of YAML."""

import json
from types import MappingProxyType
from typing import NamedTuple

import pytest
import yaml

from archc.backends.formats import merge, to_json, to_yaml


class Pair(NamedTuple):
    left: int
    right: str


HOSTILE = (
    "", " ", "no", "Yes", "null", "~", "1e3", "0o17", "12:30", "1_000", ".inf", "=", "<<", "---", "...",
    "- x", "? x", "a: b", "a #b", "@x", "`x`", "%TAG", "*a", "&a", "!x", "|", ">", "{a}", "[a]", "\t", "a\nb",
    "a\n", " a\n b\n", "a \nb", "\n", "\x85", "\u2028x\n", '"', "'", "\\", "$VAR", "2026-01-01",
    "é", "日本", "\U0001f600",
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_every_text_reads_back_as_itself(text: str) -> None:
    written = to_yaml({text: text, "list": [text], "nested": {"deep": [{"x": text}]}})
    read = yaml.safe_load(written)
    assert read == {text: text, "list": [text], "nested": {"deep": [{"x": text}]}}


def test_plain_words_stay_plain() -> None:
    assert to_yaml({"kind": "Service", "path": "/orders"}) == "kind: Service\npath: /orders\n"


def test_only_plain_words_stay_unquoted() -> None:
    assert to_yaml({"image": "postgres:16", "on": "off"}) == 'image: "postgres:16"\n"on": "off"\n'


def test_the_same_object_twice_makes_no_anchor() -> None:
    shared = {"a": 1}
    assert "&" not in to_yaml({"x": shared, "y": shared})


def test_frozen_data_is_data() -> None:
    data = {"proxy": MappingProxyType({"b": 1, "a": 2}), "tuple": (1, 2), "pair": Pair(1, "no")}
    assert to_yaml(data) == 'proxy:\n  b: 1\n  a: 2\ntuple:\n- 1\n- 2\npair:\n- 1\n- "no"\n'


def test_a_comment_cannot_end_early() -> None:
    written = to_yaml({"a": 1}, comment="one\n\ntwo: 2\r\nthree\x0bfour\u2028five")
    assert yaml.safe_load(written) == {"a": 1}
    assert written.startswith("# one\n#\n# two: 2\n")


def test_long_texts_stay_on_one_line() -> None:
    assert to_yaml({"a": "x: " * 500}).count("\n") == 1


def test_json_reads_back() -> None:
    assert json.loads(to_json({"é": ["\u2028", 1.5, None]})) == {"é": ["\u2028", 1.5, None]}


def test_merge_is_rfc_7396() -> None:
    base = {"a": {"b": 1, "c": 2}, "d": [1, 2], "e": 1}
    patch = {"a": {"b": None, "x": {"y": 1, "z": None}}, "d": [3], "e": {"f": 1}}
    assert merge(base, patch) == {"a": {"c": 2, "x": {"y": 1}}, "d": [3], "e": {"f": 1}}
    assert base == {"a": {"b": 1, "c": 2}, "d": [1, 2], "e": 1}
