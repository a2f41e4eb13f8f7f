"""Numbers in messages say neither more nor less than they are."""

from archc.compiler.rules.wording import as_written, percent
from tests.examples import compile_example


def test_a_promise_keeps_its_digits_and_what_is_possible_is_never_more_than_it_is() -> None:
    assert [as_written(value) for value in (99.0, 99.95, 99.99995)] == ["99%", "99.95%", "99.99995%"]
    assert [percent(value) for value in (99.0, 99.95, 99.99995)] == ["99%", "99.95%", "99.999%"]


def test_a_promise_above_what_is_possible_does_not_look_the_same() -> None:
    found = compile_example(
        "external bank { slo availability=99.9992% }\n"
        "service orders { slo availability=99.9999%; calls bank timeout=1s }"
    ).diagnostics
    (message,) = (finding.message for finding in found if finding.code == "A1302")
    assert message.startswith(
        "`orders`: 99.9999% promised, at most 99.999% possible; weakest: `bank` 99.9992%"
    )
