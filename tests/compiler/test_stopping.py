"""How long programs take to stop."""

import pytest

from archc.compiler import model, stopping
from archc.compiler.pipeline import compile_source


@pytest.mark.parametrize(
    ("grace", "notice_s", "finish_s"),
    [("", 3, stopping.FINISH_S), ("grace 125s", 3, 120), ("grace 8s", 2, 4), ("grace 1s", 0, 1)],
)
def test_notice_and_finish_fit_into_the_grace(grace: str, notice_s: int, finish_s: int) -> None:
    system = compile_source({"x.arch": f"system example\nservice a {{ {grace} }}"}).system
    assert system is not None
    (service,) = system.all(model.Service)
    assert (stopping.notice_s(service), stopping.finish_s(service)) == (notice_s, finish_s)
