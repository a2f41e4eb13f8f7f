"""Pictures of a system: views as drawings, and drawings as DOT, Mermaid, JSON, SVG, PNG and PDF."""

from collections.abc import Iterator
from typing import cast

from archc.backends.backend import Backend, Output, Outputs, Plan
from archc.backends.diagram import perspectives
from archc.backends.diagram.drawing import Drawing
from archc.backends.diagram.program import Picture, Problem, run_dot
from archc.compiler import model
from archc.compiler.compilation import Compilation
from archc.compiler.graph import Graph
from archc.compiler.suggest import did_you_mean

FORMATS = ("svg", "png", "pdf", "dot", "mermaid", "json")
DEFAULT_VIEW = "containers"


def views(compilation: Compilation) -> list[str]:
    """The names of the views that a compiled system has; none where faults left no system."""
    return _views(compilation.graph) if compilation.system is not None else []


def _views(graph: Graph) -> list[str]:
    names = ["context", "containers", "deployment"]
    if any(isinstance(one, model.Topic) for one in graph.nodes):
        names.append("events")
    return names + [perspectives.DOMAIN_PREFIX + domain.id for domain in graph.system.all(model.Domain)]


def draw(compilation: Compilation, view: str, format_: str) -> bytes | Problem:
    """A view of a compiled system in one of FORMATS, or why there is none.

    Only svg, png and pdf run a program, `dot`.
    """
    if compilation.system is None:
        return Problem("there is nothing to draw: the language faults leave no system")
    if format_ not in FORMATS:
        hint = did_you_mean(format_, FORMATS) or f"one of: {', '.join(FORMATS)}"
        return Problem(f"there is no format `{format_[:60]}`", hint, is_usage=True)
    known = views(compilation)
    if view not in known:
        return _unknown(view, known)
    drawing = _drawing(Plan(compilation, compilation.system, compilation.graph), view)
    text = _text(drawing, format_)
    return run_dot(text, cast(Picture, format_)) if format_ in ("svg", "png", "pdf") else text.encode()


def _unknown(view: str, known: list[str]) -> Problem:
    if view == "events":
        return Problem("there is nothing to draw: the system has no topics", is_usage=True)
    hint = did_you_mean(view, known) or f"one of: {', '.join(known)}"
    return Problem(f"there is no view `{view[:60]}`", hint, is_usage=True)


def _text(drawing: Drawing, format_: str) -> str:
    if format_ == "json":
        from archc.backends.formats import to_json

        return to_json(drawing.data())
    if format_ == "mermaid":
        from archc.backends.diagram.mermaid import to_mermaid

        return to_mermaid(drawing)
    from archc.backends.diagram.dot import to_dot

    return to_dot(drawing)


def _drawing(plan: Plan, view: str) -> Drawing:
    if view.startswith(perspectives.DOMAIN_PREFIX):
        return perspectives.domain(plan.graph, view.removeprefix(perspectives.DOMAIN_PREFIX))
    if view == "deployment":
        return _deployment(plan)
    simple = {
        "context": perspectives.context,
        "containers": perspectives.containers,
        "events": perspectives.events,
    }
    return simple[view](plan.graph)


def _deployment(plan: Plan) -> Drawing:
    from archc.backends.diagram.deployment import deployment
    from archc.backends.workloads import workloads

    return deployment(plan.graph, workloads(plan))


def _drawings(plan: Plan) -> Iterator[Drawing]:
    for view in _views(plan.graph):
        if not view.startswith(perspectives.DOMAIN_PREFIX):
            yield _drawing(plan, view)
    yield from perspectives.domains(plan.graph)


def render(plan: Plan) -> Outputs:
    """Every view as Mermaid and DOT, and the reference page, in a folder of the environment's own."""
    from archc.backends.diagram.page import file_name, page

    folder = f"docs/{plan.system.environment.name}"
    outputs: dict[str, Output] = {}
    pictures: dict[str, tuple[Drawing, str]] = {}
    for drawing in _drawings(plan):
        base = f"{folder}/diagrams/{file_name(drawing.view)}"
        mermaid = _text(drawing, "mermaid")
        pictures[drawing.view] = (drawing, mermaid)
        outputs[f"{base}.mmd"] = Output(mermaid)
        outputs[f"{base}.dot"] = Output(_text(drawing.without_places(), "dot"))
    outputs[f"{folder}/README.md"] = Output(page(plan.graph, pictures))
    return outputs


BACKEND = Backend(
    name="diagram",
    doc="Views of the system as Mermaid and DOT, and a reference page that shows them.",
    part="environment",
    platforms=("compose", "kubernetes"),
    render=render,
)
