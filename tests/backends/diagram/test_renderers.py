"""Drawings as text and as pictures, read back by the programs they are for, whatever a user wrote."""

import json
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from archc.backends.backend import Plan
from archc.backends.diagram import BACKEND, FORMATS, Problem, draw, program, views
from archc.backends.diagram.dot import to_dot
from archc.backends.diagram.drawing import Drawing, Edge, Group, Node, safe_names
from archc.backends.diagram.markdown import fence, plain, quoted
from archc.backends.diagram.mermaid import to_mermaid
from archc.backends.diagram.style import FAMILIES, KINDS
from archc.backends.diagram.text import clean
from archc.compiler.compilation import Compilation
from archc.compiler.pipeline import compile_source

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted(p for p in (ROOT / "examples").glob("*/*.arch") if p.stem == p.parent.name)
SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}"

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's `dot` is not installed")

HOSTILE = (
    'a "quoted" \'name\'',
    "back\\slash \\N \\G \\l \\",
    "</td></table>> <b>bold</b>",
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "&lt; &amp; &#60; &nosuch;",
    "two\nlines\r\nand\ttabs",
    "%%{init: {'theme':'dark'}}%% 100%",
    '"""',
    "'''; end",
    "end",
    "subgraph x",
    "click a href \"javascript:alert(1)\"",
    "```\n# out of the fence",
    "--- \n---\ntitle: x",
    "1. list",
    "- list",
    "# heading | cell | $x$ @all :tada: ~~gone~~ ==mark==",
    "[link](javascript:alert(1)) ![x](y) <http://a.example> *b* _i_ `c`",
    "#quot; #35; #lt;b#gt;",
    "right\u202eto left\u2066 and \u200bzero",
    "bell\x07 null\x00 escape\x1b[31m line\u2028 next\x85",
    "\ufffe\uffff\ufdd0 noncharacters",
    "{{ braces }} ${HOME} $(id) `id`",
    "n:port:nw",
    "日本語 ünïcode 🙂",
    "x" * 300,
    "",
    " ",
)  # fmt: skip


def compiled(path: Path) -> Compilation:
    compilation = compile_source({path.name: path.read_text(encoding="utf-8")})
    assert compilation.system is not None, compilation.diagnostics
    return compilation


def hostile_drawing(text: str) -> Drawing:
    """A drawing with the text in every slot that text can be in, and a node of each kind."""
    groups = (
        Group(f"g1{text}", "domain", text, text, text, "", text, text),
        Group(f"g2{text}", "broker", text, text, text, f"g1{text}", text, text, is_faint=True),
    )
    homes = ("", groups[0].id, groups[1].id)
    nodes = tuple(
        Node(f"{kind} {text}", kind, text, text, (text, text), homes[n % 3], text, "", text, n % 2 == 1)
        for n, kind in enumerate(KINDS)
    )
    edges = tuple(
        Edge(nodes[n].id, nodes[n + 1].id, family, (text, text), text, text, "")
        for n, family in enumerate(FAMILIES)
    )
    return Drawing("containers", text, text, groups, nodes, edges)


def dot_output(text: str, format_: str) -> str:
    done = subprocess.run(["dot", f"-T{format_}"], input=text.encode(), capture_output=True, check=True)
    assert not done.stderr, done.stderr.decode()
    return done.stdout.decode()


@needs_dot
@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_stays_text_in_graphviz(hostile: str) -> None:
    drawing = hostile_drawing(hostile)
    picture = ET.fromstring(dot_output(to_dot(drawing), "svg"))
    classes = [
        element.get("class", "").split()[0] for element in picture.iter(f"{SVG}g") if element.get("class")
    ]
    assert classes.count("node") == len(drawing.nodes)
    assert classes.count("edge") == len(drawing.edges)
    assert classes.count("cluster") == len(drawing.groups) + 1
    assert {element.tag.removeprefix(SVG) for element in picture.iter()} <= {
        "svg", "g", "title", "text", "polygon", "polyline", "path", "ellipse", "a",
    }  # fmt: skip
    for element in picture.iter():
        assert not any(name.startswith("on") for name in element.keys())  # noqa: SIM118 - not a mapping
        assert element.get(f"{LINK}href", "../README.md#").startswith("../README.md#")
    shown = {"".join(element.itertext()).strip() for element in picture.iter(f"{SVG}text")}
    titles = {element.get(f"{LINK}title") for element in picture.iter(f"{SVG}a")}
    whole = clean(hostile).replace("\\", "∖")  # graphviz acts on backslashes
    assert not whole or whole in shown
    assert not whole or whole in titles


NODE_LINE = r"\w+(\[\[|\[\(|\[/|\[\\|\(\[|\{\{|\[|\(|>)\"[^\"]*\"(\]\]|\)\]|/\]|\\\]|\]\)|\}\}|\]|\))"
MERMAID_LINES = re.compile(
    r"---|title: \"([^\"\\]|\\.)*\"|flowchart (TB|LR)"
    rf"|\s+{NODE_LINE}"
    r"|\s+subgraph \w+\[\"[^\"]*\"\]|\s+end"
    r"|\s+\w+ (==>|-->|-\.->|--o)(\|\"[^\"]*\"\|)? \w+"
    r"|\s+classDef [\w-]+ [\w:#, -]+|\s+class [\w,]+ [\w-]+"
    r"|\s+style \w+ [\w:#, -]+|\s+linkStyle [\d,]+ stroke:#\w+"
)
MERMAID_TAGS = re.compile(r"</?(?:b|small)>|<br/>")


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_stays_text_in_mermaid(hostile: str) -> None:
    text = to_mermaid(hostile_drawing(hostile))
    for number, line in enumerate(text.splitlines()):
        assert MERMAID_LINES.fullmatch(line), line
        if number > 2:
            assert "%" not in line
            labels = "".join(re.findall(r'"([^"]*)"', line))
            assert not re.search(r"[<>&`*_$\\]", MERMAID_TAGS.sub("", labels)), line
            for part in re.split(MERMAID_TAGS, labels):
                assert not re.match(r"\s*(?:\d+[.)]|[-+*])\s", part), line
    assert json.loads(text.splitlines()[1].removeprefix("title: "))


def test_ids_become_names_that_no_two_share() -> None:
    names = safe_names(["a.b", "a-b", "a_b", "end", "", "日本"])
    assert len(set(names.values())) == 6
    assert all(re.fullmatch(r"n_\w+|n_", name) for name in names.values())


@needs_dot
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_view_of_every_example_is_laid_out_as_it_is_drawn(path: Path) -> None:
    compilation = compiled(path)
    for view in views(compilation):
        data, text = draw(compilation, view, "json"), draw(compilation, view, "dot")
        assert isinstance(data, bytes) and isinstance(text, bytes)
        drawn = json.loads(data)
        rows = [line.split()[0] for line in dot_output(text.decode(), "plain").splitlines()]
        assert rows.count("node") == len(drawn["nodes"])
        hidden = text.decode().count("style=invis")
        assert rows.count("edge") == len(drawn["edges"]) + hidden


@needs_dot
def test_svg_has_titles_links_and_classes() -> None:
    svg = draw(compiled(ROOT / "examples" / "shop" / "shop.arch"), "containers", "svg")
    assert isinstance(svg, bytes)
    picture = ET.fromstring(svg)
    links = {link.get(f"{LINK}href"): link.get(f"{LINK}title") for link in picture.iter(f"{SVG}a")}
    tooltip = links["../README.md#ordering.orders"]
    assert tooltip and tooltip.startswith("ordering.orders (service): Takes and tracks orders, shop.arch:")
    titles = {element.text for element in picture.iter(f"{SVG}title")}
    assert {"ordering.orders", "catalogue.products-db", "edge"} <= titles
    assert any(element.get("class") == "node gateway" for element in picture.iter(f"{SVG}g"))
    shown = {"".join(element.itertext()) for element in picture.iter(f"{SVG}text")}
    assert {"Web shop", "Containers · environment local · Docker Compose", "Identity provider"} <= shown
    assert "Job" not in shown  # the legend holds only what occurs


@needs_dot
@pytest.mark.parametrize(
    ("format_", "magic"), [("png", b"\x89PNG\r\n"), ("pdf", b"%PDF-1."), ("svg", b"<?xml")]
)
def test_pictures_are_what_they_say(format_: str, magic: bytes) -> None:
    picture = draw(compiled(ROOT / "examples" / "quickstart" / "quickstart.arch"), "context", format_)
    assert isinstance(picture, bytes) and picture.startswith(magic)


def test_without_dot_the_fault_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    compilation = compiled(ROOT / "examples" / "shop" / "shop.arch")
    problem = draw(compilation, "containers", "svg")
    assert isinstance(problem, Problem) and not problem.is_usage
    assert "`dot`" in problem.message and "apt install graphviz" in problem.hint
    for format_ in ("dot", "mermaid", "json"):
        assert isinstance(draw(compilation, "containers", format_), bytes)


@pytest.mark.parametrize("script", ["exit 1", "echo 'Error: <stdin>: no' >&2; exit 1", "exit 0"])
def test_a_dot_that_fails_is_a_problem(script: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "dot"
    fake.write_text(f"#!/bin/sh\n{script}\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    problem = program.run_dot("digraph { }", "svg")
    assert isinstance(problem, Problem) and problem.message.startswith("`dot` failed")


def test_a_dot_that_takes_too_long_is_a_problem(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "dot"
    fake.write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(program, "TIMEOUT_S", 0.1)
    problem = program.run_dot("digraph { }", "svg")
    assert isinstance(problem, Problem) and "--view domain:NAME" in problem.hint


@pytest.mark.parametrize(
    ("view", "format_", "message", "hint"),
    [
        ("container", "svg", "there is no view `container`", "did you mean `containers`?"),
        ("domain:orderin", "svg", "there is no view `domain:orderin`", "did you mean `domain:ordering`?"),
        ("zzz", "dot", "there is no view `zzz`", "one of: context, containers, deployment, events, domain:"),
        ("context", "jpeg", "there is no format `jpeg`", f"one of: {', '.join(FORMATS)}"),
        ("context", "mermad", "there is no format `mermad`", "did you mean `mermaid`?"),
    ],
)
def test_unknown_names_get_a_hint(view: str, format_: str, message: str, hint: str) -> None:
    problem = draw(compiled(ROOT / "examples" / "shop" / "shop.arch"), view, format_)
    assert isinstance(problem, Problem) and problem.is_usage
    assert problem.message == message and problem.hint.startswith(hint)


def test_no_topics_no_events() -> None:
    problem = draw(compile_source({"s.arch": 'system s "S" { service a { } }'}), "events", "svg")
    assert isinstance(problem, Problem) and "no topics" in problem.message


def test_faults_leave_nothing_to_draw() -> None:
    compilation = compile_source({"s.arch": "system s { nonsense }"})
    assert views(compilation) == []
    assert isinstance(draw(compilation, "containers", "svg"), Problem)


@needs_dot
@pytest.mark.parametrize("text", ["", "service a { }", "topic t { }", "domain d { }", "external e { }"])
def test_a_system_of_next_to_nothing_has_its_pictures(text: str) -> None:
    compilation = compile_source({"s.arch": f"system s {{ {text} }}"})
    for view in views(compilation):
        assert isinstance(draw(compilation, view, "svg"), bytes)
        assert isinstance(draw(compilation, view, "mermaid"), bytes)


def test_hash_seeds_change_nothing() -> None:
    code = (
        "import sys, hashlib; from archc.compiler.pipeline import compile_source; "
        "from archc.backends.diagram import draw; c = compile_source({'s.arch': sys.stdin.read()}); "
        "print([hashlib.sha256(draw(c, v, f)).hexdigest() "
        "for v in ('containers', 'events', 'deployment') for f in ('dot', 'mermaid', 'json')])"
    )
    text = (ROOT / "examples" / "shop" / "shop.arch").read_bytes()
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            input=text,
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


# ---- the reference page


def tokens(markdown: str) -> list[Token]:
    flat = []
    for token in MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(markdown):
        flat += [token, *(token.children or [])]
    return flat


def written(text: str) -> str:
    """The text as a string of an `.arch` file."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ").replace("\r", " ")
    return f'"{escaped}"'


def page_of(text: str) -> str:
    compilation = compile_source({"s.arch": text})
    assert compilation.system is not None, compilation.diagnostics
    plan = Plan(compilation, compilation.system, compilation.graph)
    return BACKEND.render(plan)["docs/base/README.md"].content


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_stays_text_on_the_page(hostile: str) -> None:
    text = written(hostile)
    source = (
        f"system s {text} {{ doc {text}; person p {text} {{ doc {text}; visits a }}; "
        f"domain d {text} {{ doc {text}; "
        f"service a {text} {{ doc {text}; rest {{ GET /x {{ doc {text} }} }} }} }} }}"
    )
    compilation = compile_source({"s.arch": source})
    if compilation.system is None:
        assert compilation.diagnostics  # the language itself refuses such text
        return
    parsed = tokens(page_of(source))
    html = [token.content for token in parsed if token.type.startswith("html")]
    assert all(re.fullmatch(r"<!--[^>]*-->\n*|<a id=\"[\w.-]*\">|</a>", piece) for piece in html), html
    links = [str(token.attrs["href"]) for token in parsed if token.type == "link_open"]
    assert all(re.match(r"#|diagrams/|about:invalid|https?:|mailto:|[^:]*$", link) for link in links), links
    fences = [token for token in parsed if token.type == "fence" and token.info == "mermaid"]
    assert len(fences) == 3 + 1  # context, containers, deployment, and the one domain
    headings = [token.tag for token in parsed if token.type == "heading_open" and token.level == 0]
    assert headings == ["h1", "h2", "h2", "h2", "h2", "h2", "h2", "h2"]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_escaped_markdown_reads_as_the_text(hostile: str) -> None:
    parsed = tokens(plain(hostile))
    assert {token.type for token in parsed} <= {
        "paragraph_open",
        "inline",
        "paragraph_close",
        "text",
        "text_special",
    }
    assert "".join(token.content for token in parsed if token.type.startswith("text")) == clean(hostile)


def test_a_quotation_keeps_markdown_and_drops_what_acts() -> None:
    lines = quoted(
        "# Fine\n\n*really* [a](https://a.example) [b](javascript:alert(1)) <b>x</b>\n\n[c]: data:x"
    )
    parsed = tokens("\n".join(lines))
    assert any(token.type == "em_open" for token in parsed)
    assert not any(token.type.startswith("html") for token in parsed)
    hrefs = [token.attrs["href"] for token in parsed if token.type == "link_open"]
    assert hrefs[0] == "https://a.example" and not any(str(h).startswith("javascript:") for h in hrefs)


def test_a_fence_is_longer_than_any_inside() -> None:
    assert fence("x", "a\n````\nb")[0] == "`````x"


def test_the_page_of_the_shop_links_every_relation() -> None:
    compilation = compiled(ROOT / "examples" / "shop" / "shop.arch")
    assert compilation.system is not None
    plan = Plan(compilation, compilation.system, compilation.graph)
    page = BACKEND.render(plan)["docs/local/README.md"].content
    anchors = set(re.findall(r'<a id="([\w.-]+)">', page))
    for link in re.findall(r"\]\(#([\w.-]+)\)", page):
        assert link in anchors
    dots = [output.content for path, output in BACKEND.render(plan).items() if path.endswith(".dot")]
    for link in re.findall(r"README\.md#([\w.-]+)", "".join(dots)):
        assert link in anchors
    assert (
        "| [ordering.orders](#ordering.orders) | [ordering.stock](#ordering.stock) | grpc | Reserve |" in page
    )
