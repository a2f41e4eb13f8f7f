"""Edits that rules propose: where a statement goes, and that what a person wrote stays as it is."""

import pytest

from archc.compiler import model
from archc.compiler.pipeline import compile_source
from archc.compiler.rules import edits
from archc.dsl.diagnostics import Edit
from tests.examples import edited

HEAD = "system example\n"


def service(text: str, environment: str = "") -> model.Service:
    system = compile_source({"x.arch": HEAD + text}, environment).system
    assert system is not None
    (found,) = system.all(model.Service)
    return found


def applied(text: str, edit: Edit | None) -> str:
    assert edit is not None
    return edited(HEAD + text, [edit]).removeprefix(HEAD)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("service a\n", "service a { port 80 }\n"),
        ('service a "Does"  # why\n', 'service a "Does" { port 80 }  # why\n'),
        ("service a { }\n", "service a { port 80 }\n"),
        ("service a { grace 5s }\n", "service a { grace 5s; port 80 }\n"),
        ("service a {\n  grace 5s  # why\n}\n", "service a {\n  grace 5s  # why\n  port 80\n}\n"),
        ("service a {\n  # empty\n}\n", "service a {\n  # empty\n  port 80\n}\n"),
        ("service a {\n  grace 5s }\n", "service a {\n  grace 5s; port 80 }\n"),
        ("service a { rest { GET /x } }\n", "service a { rest { GET /x }; port 80 }\n"),
        ("domain d {\n  service a {\n  }\n}\n", "domain d {\n  service a {\n    port 80\n  }\n}\n"),
    ],
)
def test_a_statement_is_added_at_the_end_of_the_block(before: str, after: str) -> None:
    assert applied(before, edits.added(service(before), "port 80")) == after


def test_a_statement_is_written_anew_where_it_stands() -> None:
    text = "service a { replicas 1 cpu=70%; grace 5s }  # why\n"
    assert applied(text, edits.changed(service(text), "replicas", "replicas 2")) == (
        "service a { replicas 2; grace 5s }  # why\n"
    )
    assert applied(text, edits.changed(service(text), "stateful", "stateful")) == (
        "service a { replicas 1 cpu=70%; grace 5s; stateful }  # why\n"
    )


def test_what_stands_in_an_environment_or_a_kind_is_left_alone() -> None:
    in_environment = "service a\nenvironment production { service a { replicas 1 } }\n"
    in_kind = "kind small : service { replicas 1 }\nsmall a\n"
    assert edits.changed(service(in_environment, "production"), "replicas", "replicas 2") is None
    assert edits.changed(service(in_kind), "replicas", "replicas 2") is None


def test_a_statement_is_removed_with_its_block() -> None:
    text = 'service a { rest { GET /x { doc "x" } }; grace 5s }\n'
    found = service(text)
    assert applied(text, edits.removed(found, found.rest[0].span)) == "service a { ; grace 5s }\n"
    assert applied(text, edits.removed(found, found.rest[0].operations[0].span)) == (
        "service a { rest {  }; grace 5s }\n"
    )


def test_arguments_are_added_and_changed() -> None:
    text = "external b\nservice a { rest { POST /x { calls b timeout=1s } } }\n"
    found = service(text)
    (call,) = found.rest[0].operations[0].calls
    again = "external b\nservice a { rest { POST /x { calls b timeout=%s } } }\n"
    assert applied(text, edits.with_argument(found, call.span, "timeout", "2s")) == again % "2s"
    assert applied(text, edits.with_argument(found, call.span, "retries", "1")) == again % "1s retries=1"
    assert applied(text, edits.with_argument(found, call.span, "optional", "")) == again % "1s optional"
