"""What a fault says to write instead."""

import pytest

from archc.compiler.kinds import KINDS
from tests.examples import compile_example

HINTS = [
    ("service a { slo 99.9% }", "write `availability=99.9%`"),
    ('service a { allow A101 "reason" }', 'write `because "reason"`'),
    ("service a { allow A101 2027-01-01 }", "write `until 2027-01-01`"),
    ("gateway g { route /a -> a timeout 2s }\nservice a", "write `timeout=` and its value without a space"),
    ("gateway g { route /a a }\nservice a", "write `-> a`"),
    ('service a { health "/x" }', "write /x without the quotes"),
    ("service a { image nginx:1.2 }", 'write "nginx"'),
    ("service a { replicas 2-10 }", "it is written `replicas COUNT cpu=PERCENT`"),
    ('team t "a" "b"', 'it is written `team NAME ("EMAIL")`'),
    ("service a { port 80 publik }", "did you mean `public`?"),
    ("service a { resources medum }", "did you mean `medium`?"),
    ("cache c { engine redsi }", "did you mean `redis`?"),
    ("service a { rest v1 { get /x } }", "did you mean `GET`?"),
    ("service a { environ A }", "did you mean `env`?"),
    ("service a { image 3 }", 'write "3"'),
    ("topic t { retention 7 }", "write a number with one of ms, s, m, h, d, w, y, such as 300ms"),
    ("topic t { partitions 0 }", "a whole number from 1 to 4000"),
    ("topic t { partitions -6 }", "a whole number from 1 to 4000"),
    ("topic t { partitions 9007199254740992 }", "a whole number from 1 to 4000"),
    ("topic t { partitions (6) }", "write what is inside without the brackets"),
    ("topic t { partitions 6) }", "remove it: no bracket is open here"),
    ("topic t { partitions 6] }", "remove it: no bracket is open here"),
    (
        'job j { schedule "99 * * * *" }',
        'write minute, hour, day, month and weekday, such as "30 3 * * mon-fri", or "@daily"',
    ),
    ("system s { rules { stacks } }", "it is written `stacks max=NUMBER`"),
    ("system s { rules { frobnicate max=2 } }", "`archc explain rules` lists what may stand here"),
    ("service a { owns }", "name a database, a cache, a search or a bucket"),
    ("service a { uses }", "name a database, a cache, a search or a bucket"),
    ("service a { image }", 'it is written `image "REFERENCE"`'),
    ("gateway g { engine }", "one of: envoy, nginx, kong, spring, gateway-api"),
    ("service a { rest v1 { FETCH /x } }", "the methods are GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"),
    ("service a { rest v1 { post /x } }", "did you mean `POST`?"),
    ("kind k : sevice", "did you mean `service`?"),
    ("system s { rules { sync-depth warning=0 } }", "a whole number of 1 or more"),
    ("system s { rules { token-lifetime max=0s } }", "write for example `max=1h`"),
    ("broker b { brokers 0 }", "a whole number from 1 to 1000"),
    ("service a {\n}\n{\n}", "end the line before it with the `{`"),
]


def test_a_kind_of_nothing_is_told_the_kinds() -> None:
    [fault] = compile_example("kind small : service { replicas 1 }\nkind k : zzzz").diagnostics
    assert fault.hint == f"the kinds are {', '.join(kind.name for kind in KINDS[1:])}, small"


@pytest.mark.parametrize(("text", "hint"), HINTS)
def test_the_one_fault_has_the_hint(text: str, hint: str) -> None:
    faults = [d for d in compile_example(text).diagnostics if d.code.startswith("A17")]
    assert [fault.hint for fault in faults] == [hint]
