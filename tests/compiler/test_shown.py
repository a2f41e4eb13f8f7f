"""What frontends show: archc.compiler.pages."""

from archc.compiler import model
from archc.compiler.compilation import Compilation
from archc.compiler.pages import Reach, mounts, shown_domains
from archc.compiler.pipeline import compile_source

TEXT = """
system example
cdn edge { origin front }
load-balancer front { forwards api }
gateway api { route /a -> a.one; route /a/b -> b.two; route /time -> clock }
service clock
domain a { service one }
domain b { service two }
frontend all { calls api }
frontend some { calls edge GET /a/x; calls front GET /time }
frontend deep { calls api GET /a/b/c; calls api GET /nowhere }
frontend direct { renders server; calls b.two; calls a.one GET /x }
"""


def compiled(text: str) -> Compilation:
    compilation = compile_source({"x.arch": text})
    assert compilation.system is not None, compilation.diagnostics
    return compilation


def test_calls_lead_through_the_way_in_to_domains() -> None:
    compilation = compiled(TEXT)
    system = compilation.system
    assert system is not None
    reach = Reach(compilation.graph)
    shown = {f.id: sorted(shown_domains(reach, f)) for f in system.all(model.Frontend)}
    assert shown == {"all": ["a", "b"], "some": ["a"], "deep": ["b"], "direct": ["a", "b"]}


def test_a_circle_of_balancers_ends() -> None:
    compilation = compiled("""
        system example
        cdn edge { origin front }
        load-balancer front { forwards edge }
        frontend pages { calls edge }
    """)
    (edge,) = compilation.graph.edges_from("pages", ("http",))
    assert Reach(compilation.graph).domains(edge) == ()


def test_mounts_of_one_path() -> None:
    system = compiled("""
        system example
        frontend a { mounts /; mounts /cart/ }
        frontend b { mounts /cart; mounts /cart/items/* }
    """).system
    assert system is not None
    found = {path: [f.id for f in frontends] for path, frontends in mounts(system).items()}
    assert found == {"/": ["a"], "/cart": ["a", "b"], "/cart/items": ["b"]}
