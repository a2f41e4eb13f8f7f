"""What the views show: who stands in them, what they say to each other, and in which words."""

from dataclasses import replace
from pathlib import Path

from archc.backends.backend import Plan
from archc.backends.diagram import BACKEND, perspectives, views
from archc.backends.diagram.deployment import deployment
from archc.backends.diagram.drawing import Drawing, Edge, Node
from archc.backends.diagram.fold import NODES_MAX
from archc.backends.diagram.layout import direction
from archc.backends.diagram.relations import BUNDLED
from archc.backends.diagram.style import FAMILIES, FRAMES, INK, KINDS, PAPER, SOFT_INK
from archc.backends.workloads import workloads
from archc.compiler import model
from archc.compiler.compilation import Compilation
from archc.compiler.graph import Graph
from archc.compiler.pipeline import compile_source
from tests.systems import synthetic

ROOT = Path(__file__).parents[3]
SHOP = (ROOT / "examples" / "shop" / "shop.arch").read_text(encoding="utf-8")


def compiled(text: str, environment: str | None = None) -> Compilation:
    compilation = compile_source({"s.arch": text}, environment)
    assert compilation.system is not None, compilation.diagnostics
    return compilation


def graph_of(text: str, environment: str | None = None) -> Graph:
    return compiled(text, environment).graph


def node(drawing: Drawing, id_: str) -> Node:
    return next(one for one in drawing.nodes if one.id == id_)


def arrows(drawing: Drawing, source: str, target: str) -> list[Edge]:
    return [edge for edge in drawing.edges if (edge.source, edge.target) == (source, target)]


def test_the_shop_has_these_views() -> None:
    names = views(compiled(SHOP))
    assert names == ["context", "containers", "deployment", "events", "domain:catalogue", "domain:ordering"]


def test_events_are_no_view_of_a_system_without_topics() -> None:
    assert "events" not in views(compiled('system s "S" { service a { } }'))


def test_context_shows_people_the_system_and_others() -> None:
    drawing = perspectives.context(graph_of(SHOP))
    assert [one.id for one in drawing.nodes] == ["customer", "stripe", "system"]
    assert [edge.labels for edge in drawing.edges] == [("visits storefront",), ("calls",)]


def test_containers_show_everything_that_runs_in_its_domain() -> None:
    graph = graph_of(SHOP)
    drawing = perspectives.containers(graph)
    assert {one.id for one in drawing.nodes} == {one.id for one in graph.nodes}
    assert node(drawing, "ordering.orders").group == "domain:ordering"
    assert node(drawing, "events").group == "platform"
    assert node(drawing, "customer").group == node(drawing, "stripe").group == ""
    joined = {frozenset((edge.source, edge.target)) for edge in drawing.edges}
    written = {frozenset((edge.source, edge.target)) for edge in graph.edges if edge.kind not in BUNDLED}
    assert joined == written


def test_technology_says_kind_and_product() -> None:
    drawing = perspectives.containers(graph_of(SHOP, "production"))
    shown = {
        id_: node(drawing, id_).technology
        for id_ in ("ordering.orders-db", "ordering.stock", "login", "events")
    }
    assert shown == {
        "ordering.orders-db": "Database: PostgreSQL 16",
        "ordering.stock": "Service: Go · gRPC",
        "login": "Identity provider: Keycloak",
        "events": "Broker: Kafka",
    }
    assert node(drawing, "catalogue.products").technology == "Service: FastAPI · HTTP, gRPC"
    assert node(drawing, "stripe").technology == "External system: HTTPS"


def test_edges_that_everybody_has_become_a_line_of_text() -> None:
    notes = node(perspectives.containers(graph_of(SHOP, "production")), "events").notes
    assert notes == ("carries 1 topic",)


def test_events_flow_from_the_topic_to_its_consumer() -> None:
    for view in (perspectives.containers, perspectives.events):
        drawing = view(graph_of(SHOP))
        (arrow,) = arrows(drawing, "ordering.order-events", "ordering.mailer")
        assert (arrow.family, arrow.labels, arrow.technology) == ("event", ("consumes",), "dead letters kept")


def test_events_show_what_topics_carry_inside_their_broker() -> None:
    drawing = perspectives.events(graph_of(SHOP))
    topic = node(drawing, "ordering.order-events")
    assert (topic.group, topic.notes) == ("events", ("OrderPlaced v1", "by order", "of ordering"))
    assert [group.technology for group in drawing.groups] == ["Broker: Logbroker"]


CHATTY = """system s "S" {
  service a { calls b.Two; calls b.One; calls b.Four; calls b.Three; calls b GET /x }
  service b { rest { GET /x }; rpc { One; Two; Three; Four } }
}"""


def test_parallel_edges_are_one_with_their_labels_joined_and_cut() -> None:
    (edge,) = perspectives.containers(graph_of(CHATTY)).edges
    assert edge.labels == ("Four", "GET /x", "and 3 others")
    assert edge.technology == "HTTP, gRPC"
    assert "Four, GET /x, One, Three, Two [HTTP, gRPC]" in edge.tooltip


def test_a_long_label_is_cut() -> None:
    path = "/" + "very-long-" * 10
    text = f'system s "S" {{ service a {{ calls b GET {path} }}; service b {{ rest {{ GET {path} }} }} }}'
    (edge,) = perspectives.containers(graph_of(text)).edges
    assert len(edge.labels[0]) <= 30 and edge.labels[0].endswith("…")


def test_a_domain_shows_its_inside_and_faint_neighbours() -> None:
    drawing = perspectives.domain(graph_of(SHOP), "ordering")
    faint = {one.id for one in drawing.nodes if one.is_faint}
    assert faint == {"api", "catalogue.products", "storefront", "stripe"}
    assert {one.id for one in drawing.nodes} - faint >= {"ordering.orders", "ordering.mailer"}
    for edge in drawing.edges:
        assert not {edge.source, edge.target} <= faint
    assert {group.id: group.is_faint for group in drawing.groups} == {
        "domain:catalogue": True,
        "domain:ordering": False,
    }


def test_all_domains_at_once_are_the_domains_one_by_one() -> None:
    graph = graph_of(SHOP)
    both = [perspectives.domain(graph, name) for name in ("catalogue", "ordering")]
    assert list(perspectives.domains(graph)) == both


def test_places_do_not_name_the_machine() -> None:
    stock = node(perspectives.containers(graph_of(SHOP)), "ordering.stock")
    assert stock.tooltip == "ordering.stock (service): Holds what is left"
    assert stock.place.startswith("s.arch:")
    for path in ("/srv/somebody/s.arch", "C:\\Users\\somebody\\s.arch"):
        compilation = compile_source({path: SHOP})
        assert "somebody" not in str(perspectives.containers(compilation.graph))


def test_deployment_shows_images_instances_and_open_connections() -> None:
    compilation = compiled(SHOP, "production")
    assert compilation.system is not None
    planned = workloads(Plan(compilation, compilation.system, compilation.graph))
    drawing = deployment(compilation.graph, planned)
    orders, database = node(drawing, "orders"), node(drawing, "orders-db")
    assert orders.notes[0].startswith("3 to 30 × ")
    assert database.technology.startswith("postgres:16")
    assert "volume of 20 GiB" in database.notes
    (connection,) = arrows(drawing, "orders", "orders-db")
    assert (connection.family, connection.labels) == ("data", (":5432",))
    assert {one.id for one in drawing.nodes} - {"outside api.stripe.com"} == {one.name for one in planned}
    assert not any("localhost" in note for one in drawing.nodes for note in one.notes)


def test_a_large_system_has_its_domains_folded() -> None:
    compilation = compiled(synthetic(60))
    assert compilation.system is not None
    drawing = perspectives.containers(compilation.graph)
    assert len(compilation.graph.nodes) > NODES_MAX > len(drawing.nodes)
    box = node(drawing, "domain:d0")
    assert "10 services" in box.notes
    ends = {end for edge in drawing.edges for end in (edge.source, edge.target)}
    assert ends <= {one.id for one in drawing.nodes}
    assert not any(edge.source == edge.target for edge in drawing.edges)
    assert "each domain as one box" in drawing.caption


def luminance(colour: str) -> float:
    """The relative luminance of WCAG 2."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_colours_keep_wcag_aa() -> None:
    for kind, style in KINDS.items():
        texts = (INK, SOFT_INK) if style.ink == INK else (style.ink,)
        assert all(contrast(text, style.fill) >= 4.5 for text in texts), kind
        assert contrast(style.border, PAPER) >= 3, kind
    for family, line in FAMILIES.items():
        assert all(contrast(line.colour, frame.fill) >= 3 for frame in FRAMES.values()), family
    for frame in FRAMES.values():
        assert contrast(SOFT_INK, frame.fill) >= 4.5


def test_kinds_of_the_running_system_have_styles_that_differ() -> None:
    compilation = compiled(SHOP)
    drawn = {one.kind for one in compilation.graph.nodes}
    assert drawn <= KINDS.keys()
    assert set(model.CLASSES) - KINDS.keys() == {"team", "secret", "type", "enum", "event"}
    looks = [(style.shape, style.fill, style.border) for style in KINDS.values()]
    assert len(set(looks)) == len(looks)


def test_the_backend_writes_only_below_its_environments_folder() -> None:
    compilation = compiled(SHOP, "production")
    assert compilation.system is not None
    plan = Plan(compilation, compilation.system, compilation.graph)
    outputs = BACKEND.render(plan)
    names = {path.removeprefix("docs/production/") for path in outputs}
    stems = ("context", "containers", "deployment", "events", "domain-catalogue", "domain-ordering")
    assert names == {"README.md", *(f"diagrams/{stem}.{end}" for stem in stems for end in ("dot", "mmd"))}
    assert BACKEND.render(replace(plan)) == outputs


def test_what_is_built_does_not_change_with_lines_that_move() -> None:
    one, other = (compiled(text) for text in (SHOP, "# a comment\n\n" + SHOP))
    assert one.system is not None and other.system is not None
    first = BACKEND.render(Plan(one, one.system, one.graph))
    assert BACKEND.render(Plan(other, other.system, other.graph)) == first


def test_a_wide_picture_runs_to_the_right_and_a_square_one_down() -> None:
    nodes = [Node(str(n), "service", str(n)) for n in range(20)]
    star = [Edge("0", str(n), "call") for n in range(1, 20)]
    grid = [Edge(str(n), str(n + 5), "call") for n in range(15)]
    circles = [Edge(str(n + 15), str(n), "call") for n in range(5)]
    assert direction(nodes, star) == "right"
    assert direction(nodes, grid) == direction(nodes, grid + circles) == "down"
    assert direction([], []) == "down"
