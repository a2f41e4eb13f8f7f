"""Values of every type: what is refused, and what is said."""

import pytest

from archc.compiler.pipeline import compile_source

REFUSED = [
    ("database db { backup daily keep=999999999y }", "A1712", "at most 100y"),
    ("database db { storage 999999999999Ti }", "A1712", "too much"),
    ('service a { build "/srv/a" }', "A1712", "services/orders"),
    ('service a { build "" }', "A1712", "a folder or file"),
    ('service a { build "C:\\\\a" }', "A1712", "a folder or file"),
    ('service a { build "a" dockerfile="a\\nRUN id" }', "A1712", "a folder or file"),
    ('service a { image "" }', "A1712", "orders:1.4"),
    ('service a { image "no image" }', "A1712", "a container image"),
    ('service a { image "${REGISTRY}/a" }', "A1712", "a container image"),
    ('service a { image "a:1@sha256:00" }', "A1712", "a container image"),
    ('registry r { engine consul "1; id" }', "A1712", "not a version"),
    ('registry r { engine consul "1\\nRUN id" }', "A1712", "`1 RUN id` is not a version"),
    ('external e { url "https://a.example:99999" }', "A1712", "not a URL"),
    ('external e { url "https://[a/" }', "A1712", "not a URL"),
    ('external e { url "https://a_b.example/" }', "A1712", "not a URL"),
    ('external e { url "file:///etc/passwd" }', "A1712", "https://api.example.com"),
    ('service a { image "a"; tmp /a:exec }', "A1712", "a folder inside the container"),
    ('service a { image "a"; volume /a/../b }', "A1712", "a folder inside the container"),
    ('service a { image "a"; volume / }', "A1712", "a folder inside the container"),
    ('service a { image "a"; volume /a; volume /a 2Gi }', "A1714", "`volume /a` stands twice"),
    ('service a { image "a"; port 80; port 80 }', "A1714", "`port 80` stands twice"),
    ('service a { image "a"; env A "1"; env A "2" }', "A1714", "`env A` stands twice"),
    ("rules { stacks max=1.5 }", "A1712", "`1.5` is not a whole number"),
    ("service a { calls b retries=90071992547409920 }; service b", "A1712", "from 0 to 9007199254740992"),
    ("rules { stacks max=-1 }", "A1712", "`-1` is out of range"),
    ("identity i { role a; role a }", "A1714", "`role a` stands twice"),
    ("cache c { }; service a { uses c; uses c }", "A1714", "`uses c` stands twice"),
]
ACCEPTED = [
    'service a { image "registry.example:5000/team/a_b/c--d:v1.2@sha256:' + "0" * 64 + '"; health tcp }',
    'service a { image "a"; health tcp; env A "1"; env B "1"; volume /a; volume /b; tmp /a/c }',
    'service a { build "../a folder/x"; health tcp }',
    'service a { build "."; health tcp }',
    'registry r { engine consul "1.21-rc_2" }',
    'external e { url "https://[::1]:8443/x?y=1#z" }',
    'external e { url "postgres://user@db.example:5432/x" }',
]


@pytest.mark.parametrize(("text", "code", "said"), REFUSED, ids=lambda value: value[:40])
def test_what_no_program_could_read_is_refused(text: str, code: str, said: str) -> None:
    found = compile_source({"a.arch": f"system s {{ {text} }}"}).diagnostics
    assert [d.code for d in found if d.severity == "error"] == [code], found
    assert any(said in f"{d.message} {d.hint}" for d in found), found
    assert all(d.message.isprintable() for d in found)


@pytest.mark.parametrize("text", ACCEPTED, ids=lambda value: value[:40])
def test_what_programs_read_is_taken(text: str) -> None:
    text = f"system s {{ {text} }}\nenvironment e {{ profile dev }}"
    assert not compile_source({"a.arch": text}, "e").has_errors


def test_an_environment_may_say_again_what_may_stand_once() -> None:
    text = 'system s { service a { image "a"; health tcp; env A "1"; volume /a 1Gi } }\n'
    text += 'environment e { profile dev; service a { env A "2"; volume /a 2Gi } }'
    compilation = compile_source({"a.arch": text}, "e")
    assert compilation.system is not None
    (service,) = compilation.system.elements.values()
    assert [env.value for env in service.env] == ["2"]  # type: ignore[attr-defined]


def test_an_environment_says_what_it_changes() -> None:
    text = "system s { broker b { engine kafka } }\nenvironment e { broker b { engine } }"
    (found,) = (d for d in compile_source({"a.arch": text}, "e").diagnostics if d.severity == "error")
    assert (found.code, found.span.line, found.message) == ("A1712", 2, "`engine` needs a name")
