"""The synthetic systems that other tests and benchmarks rest on are clean and the same every time."""

import pytest

from archc.compiler.pipeline import compile_source
from tests.systems import synthetic


@pytest.mark.parametrize("services", [1, 10, 37, 100])
@pytest.mark.parametrize("environment", ["local", "production"])
def test_a_synthetic_system_is_clean(services: int, environment: str) -> None:
    compilation = compile_source({"s.arch": synthetic(services, seed=services)}, environment)
    assert compilation.diagnostics == ()
    assert compilation.system is not None
    assert sum(element.kind == "service" for element in compilation.graph.nodes) == services


def test_a_seed_gives_one_system() -> None:
    assert synthetic(20, seed=3) == synthetic(20, seed=3) != synthetic(20, seed=4)
