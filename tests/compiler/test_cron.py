"""Schedules: what is wrong with one is said by the field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archc.compiler.cron import MACROS, cron_fault

FAULTS = [
    ("99 * * * *", "the minute `99` is not from 0 to 59"),
    ("* 3-24 * * *", "the hour `3-24` is not from 0 to 23"),
    ("0 0 0 * *", "the day `0` is not from 1 to 31"),
    ("0 0 1 march *", "the month `march` is not from 1 to 12, nor jan to dec"),
    ("0 0 * * 7", "the weekday `7` is not from 0 to 6, nor sun to sat"),
    ("0 0 * * fri-mon", "the weekday `fri-mon` is a range upside down"),
    ("*-5 * * * *", "the minute `*-5` begins a range with everything"),
    ("*/61 * * * *", "the minute `*/61` has a step that is not from 1 to 60"),
    ("*/x * * * *", "the minute `*/x` has a step that is not from 1 to 60"),
    ("1,,2 * * * *", "the minute `` is neither `*`, a number nor a range"),
    ("* * * *", "it has 4 fields, not five: minute, hour, day, month, weekday"),
    ("", "it has 0 fields, not five: minute, hour, day, month, weekday"),
    ("0 3 * * *\n", "it is not one line of at most 200 characters"),
    ("@noon", f"the macros are {', '.join(MACROS)}"),
    ("@Daily", f"the macros are {', '.join(MACROS)}"),
]


@pytest.mark.parametrize(("text", "fault"), FAULTS)
def test_what_is_wrong_is_said(text: str, fault: str) -> None:
    assert cron_fault(text) == fault


def field(low: int, high: int) -> st.SearchStrategy[str]:
    """A field that a clock can keep."""
    number = st.integers(low, high)
    ranges = st.tuples(number, number).map(lambda ends: f"{min(ends)}-{max(ends)}")
    whole = st.one_of(st.just("*"), number.map(str), ranges)
    step = st.integers(1, high - low + 1).map(lambda size: f"/{size}")
    part = st.tuples(whole, st.one_of(st.just(""), step)).map("".join)
    return st.lists(part, min_size=1, max_size=4).map(",".join)


@given(st.tuples(field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 6)).map(" ".join))
def test_every_schedule_of_fields_in_their_range_is_one(text: str) -> None:
    assert cron_fault(text) == "" or len(text) > 200


@given(st.text(alphabet="0123456789*/,-?@ adfinorsuty\n\u0663", max_size=40))
def test_any_text_is_a_schedule_or_gets_a_sentence_that_can_be_printed(text: str) -> None:
    assert cron_fault(text).isprintable()
