"""What a patch may hold: data that every reader of YAML takes for the same."""

import time

import pytest

from archc.compiler.passthrough import CHARACTERS_MAX, fault_of

PLAIN = (
    "a: b",
    "a:",
    "{spec: {minReadySeconds: 10}}",
    "labels: {a: '${B}'}\nread_only: false\ninit: null",
    "a: [1, -3, 0, 1.5, 'yes', \"017\"]",
    "a: |\n  text\n  more",
    '"on": x',
)
REFUSED = (
    ("", "mapping"),
    ("# nothing", "mapping"),
    ("- a", "mapping"),
    ("a: [", "not YAML"),
    ("a: 1\n---\nb: 2", "one document"),
    ("a: &x [*x]", "alias"),
    ("a: &x {b: *x}", "alias"),
    ("a: &x 1\nb: *x", "alias"),
    ("a: 1\na: 2", "twice"),
    ("on: x", "no text"),
    ("1: x", "no text"),
    ("<<: {a: b}", "no text"),
    ("? [a]\n: b", "no text"),
    ("a: yes", "truth value"),
    ("a: 017", "number"),
    ("a: 22:22", "number"),
    ("a: .nan", "number"),
    ("a: 99999999999999999999", "number"),
    ("a: 2027-06-30", "plain value"),
    ("a: =", "plain value"),
    ("a: !!binary aGk=", "tag"),
    ('a: !!python/object/apply:os.system ["true"]', "tag"),
    ("a: " + "[" * 40 + "]" * 40, "deep"),
    ("a: " + "x" * CHARACTERS_MAX, "characters"),
)


@pytest.mark.parametrize("text", PLAIN)
def test_plain_data_is_a_patch(text: str) -> None:
    assert fault_of(text) is None


@pytest.mark.parametrize(("text", "said"), REFUSED, ids=lambda value: value[:20])
def test_what_readers_disagree_about_is_refused(text: str, said: str) -> None:
    fault = fault_of(text)
    assert fault is not None
    assert said in fault.message


def test_brackets_without_end_are_refused_at_once() -> None:
    start = time.perf_counter()
    assert fault_of("a: " + "[" * (CHARACTERS_MAX - 10)) is not None
    assert time.perf_counter() - start < 2
