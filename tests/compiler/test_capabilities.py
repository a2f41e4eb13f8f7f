"""What engines can do."""

import pytest

from archc.compiler import model
from archc.compiler.capabilities import CAPABILITIES, ENGINES, NEEDED, gives, giving, store_engine
from archc.compiler.kinds import BY_NAME
from archc.compiler.pipeline import compile_source


def test_every_engine_of_a_store_is_in_the_table_and_every_need_can_be_met() -> None:
    for kind, engines in ENGINES.items():
        assert BY_NAME[kind].keywords["engine"].parameters[0].choices == engines
    assert {engine for engines in ENGINES.values() for engine in engines} == CAPABILITIES.keys()
    for need in NEEDED:
        assert giving((need,)), need
    assert {word for words in CAPABILITIES.values() for word in words} == NEEDED.keys()


@pytest.mark.parametrize(
    ("needs", "engines"),
    [
        (("transactions", "joins"), ("postgres", "mysql", "sqlite")),
        (("transactions", "scale-out"), ("mongodb",)),
        (("joins", "scale-out"), ()),
    ],
)
def test_the_engines_that_give_all_of_it(needs: tuple[str, ...], engines: tuple[str, ...]) -> None:
    assert giving(needs) == engines


def test_what_is_not_known_may_do_anything() -> None:
    assert gives("somebody's own", "joins")
    assert not gives("redis", "joins")


def test_the_engine_of_a_store_is_that_of_its_server() -> None:
    system = compile_source(
        {
            "x.arch": """
            system example
            instance server { engine mysql }
            instance unnamed
            database a
            database b { engine cassandra }
            database c on=server
            database d on=unnamed { engine mysql }
            cache e
            search f
            bucket g
            """
        }
    ).system
    assert system is not None
    found = {store.id: store_engine(system, store) for store in system.all(model.Store)}
    wanted = "postgres cassandra mysql mysql redis elasticsearch"
    assert [found[id_] for id_ in "abcdef"] == wanted.split()
    assert found["g"] == ""
