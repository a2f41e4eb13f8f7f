"""The commands: what they print, and their exit codes."""

import json
import os
import random
import re
import shutil
import stat
from importlib.metadata import version
from pathlib import Path

import pytest

from archc.compiler.faults import FAULTS
from archc.compiler.manual import DOCUMENTED
from archc.compiler.rules import RULES
from docs.outward import commands
from tests.cli.conftest import FAULTY, SHARED, SYSTEM, Archc, files

EXAMPLES = Path(__file__).parents[2] / "examples"
COMMANDS = ("init", "check", "build", "diagram", "graph", "explain", "fmt", "rules", "doctor")


# ---- help and wrong usage


def test_help_shows_every_command(archc: Archc) -> None:
    result = archc("--help")
    assert result.code == 0
    for command in COMMANDS:
        assert re.search(rf"│ {command} ", result.out)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(archc: Archc, command: str) -> None:
    result = archc(command, "-h")
    assert result.code == 0
    assert f"Usage: archc {command}" in result.out


def test_the_broker_and_its_tools_are_a_command(archc: Archc) -> None:
    assert re.search(r"│ broker ", archc("--help").out)
    assert archc("broker", "--help").out.startswith("usage: archc broker ")
    assert archc("broker", "groups", "reset", "-h").out.startswith("usage: archc broker groups reset ")
    wrong = archc("broker", "--data", "data", "--flush", "sometimes")
    assert (wrong.code, "`sometimes` is not always" in wrong.err) == (2, True)
    asked = archc("broker", "topics", "list", "--bootstrap", "127.0.0.1:1", "--format", "json")
    assert (asked.code, asked.out) == (1, "")
    assert asked.err == "error: 127.0.0.1:1 cannot be reached: Connection refused\n"
    assert archc("broker", "verify", "nowhere").err == "error: nowhere: No such file or directory\n"


def test_reference_of_commands_says_what_is_meant_unless_said() -> None:
    page = commands()
    assert page.count("| `PATH` |") == page.count(" Unless said: `.`. |") == 5
    assert "`archc --version`" in page
    assert "`-h`" in page
    assert page.count("One environment at a time") == 2
    assert "|---|---|" not in page.partition("## archc doctor")[2]


def test_version(archc: Archc) -> None:
    assert archc("--version").out == f"archc {version('archc')}\n"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["chek"], "Did you mean 'check'?"),
        (["check", "--strct"], "--strict"),
        (["check", "nowhere"], "there is no file or folder nowhere"),
        (["check", "--env", "prodution"], "Did you mean `production`? There are: local, production"),
        (["check", "--env", ""], "there is no environment ``"),
        (["check", "--format", "jsn"], "Did you mean `json`?"),
        (["build", "--target", "compose,kubernete"], "Did you mean `kubernetes`?"),
        (["build", "--target", ""], "there is no target ``"),
        (["build", "--env", "stagin"], "there is no environment `stagin`"),
        (["diagram", "--view", "contaners"], "Did you mean `containers`?"),
        (["diagram", "--view", "domain:order"], "Did you mean `domain:ordering`?"),
        (["diagram", "--format", "bmp"], "there is no format `bmp`"),
        (["diagram", "--env", "all"], "one environment at a time"),
        (["graph", "--env", "all"], "one environment at a time"),
        (["graph", "--format", "yaml"], "There are: json"),
        (["explain", "servce"], "Did you mean `service`?"),
        (["explain", "A999"], "there is no code, kind or statement `a999`"),
        (["init", "x", "--template", "mnimal"], "Did you mean `minimal`?"),
        (["rules", "--format", "xml"], "There are: text, json"),
        (["fmt", "nowhere"], "there is no file or folder nowhere"),
        (["explain"], "Missing argument"),
        (["check", ""], "'PATH': it is empty. The current folder is `.`"),
        (["build", ""], "'PATH': it is empty"),
        (["graph", ""], "'PATH': it is empty"),
        (["fmt", ""], "'PATH': it is empty"),
        (["fmt", "shop.arch", ""], "'PATH': it is empty"),
        (["build", "--out", ""], "'--out': it is empty"),
        (["diagram", "-o", ""], "it is empty"),
        (["init", ""], "'DIR': it is empty"),
    ],
)
def test_wrong_usage_is_2_and_names_what_is_right(
    archc: Archc, shop: Path, arguments: list[str], expected: str
) -> None:
    result = archc(*arguments)
    assert result.code == 2
    assert expected in result.said
    assert sorted(files()) == ["shop.arch"]


def test_folder_without_a_system_is_wrong_usage(archc: Archc) -> None:
    result = archc("check")
    assert result.code == 2
    assert "there are no .arch files in ." in result.said
    assert "archc init" in result.said


# ---- check


def test_a_system_without_faults(archc: Archc, shop: Path) -> None:
    result = archc("check")
    assert (result.code, result.err) == (0, "")
    assert re.fullmatch(r"ok: shop has no faults \(\d+ elements, local\)\n", result.out)


def test_faults_as_text(archc: Archc, shop: Path) -> None:
    shop.write_text(FAULTY)
    result = archc("check")
    assert result.code == 1
    assert "error[A1702]" in result.out
    assert "--> shop.arch:10:12" in result.out
    assert "10 |       owns order-db\n   |            ^^^^^^^^" in result.out
    assert "did you mean `orders-db`?" in result.out
    assert "1 error (`archc explain A1702` tells more)" in result.out


def test_files_are_named_from_the_current_folder(archc: Archc, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("a/b").mkdir(parents=True)
    Path("a/shop.arch").write_text(FAULTY)
    assert "--> a/shop.arch:10" in archc("check", "a").out
    monkeypatch.chdir("a/b")
    assert "--> ../shop.arch:10" in archc("check", "..").out


def test_warnings_are_fine_unless_strict(archc: Archc, shop: Path) -> None:
    shop.write_text(SHARED)
    result = archc("check")
    assert result.code == 0
    assert "warning[A101]" in result.out
    assert "used by `ordering.bills`" in result.out
    result = archc("check", "--strict")
    assert result.code == 1
    assert "error[A101]" in result.out
    assert archc("check", "--env", "production").code == 1


def test_all_environments_are_checked_together(archc: Archc, shop: Path) -> None:
    shop.write_text(SHARED)
    result = archc("check", "--env", "all", "--format", "json")
    assert result.code == 1
    found = json.loads(result.out)
    assert [fault["severity"] for fault in found if fault["code"] == "A101"] == ["error"]
    shop.write_text(SYSTEM)
    assert "(8 elements, local, production)" in archc("check", "--env", "all").out


def test_findings_say_which_environments_they_are_from(archc: Archc, shop: Path) -> None:
    def message() -> str:
        found = json.loads(archc("check", "--env", "all", "--format", "json").out)
        (message,) = (fault["message"] for fault in found if fault["code"] == "A101")
        assert f"[A101]: {message}\n" in archc("check", "--env", "all").out
        return str(message)

    sharing = "\n  add service ordering.bills { uses ordering.orders-db; rest v1 { GET /bills } }\n}\n"
    shop.write_text(f"{SYSTEM}environment staging {{ platform kubernetes; profile staging{sharing}")
    assert message().endswith("; it may have one owner (environment staging)")
    shop.write_text(
        SHARED.replace("profile dev }", "profile dev; remove ordering.bills }")
        + "environment staging { platform kubernetes; profile staging }\n"
    )
    assert message().endswith("; it may have one owner (environments production, staging)")
    shop.write_text(SHARED)
    assert message().endswith("; it may have one owner")


def test_secrets_are_not_shown_again(archc: Archc, shop: Path) -> None:
    secret = "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"
    shop.write_text(SYSTEM.replace("owns orders-db", f'owns orders-db; env API_KEY "{secret}"'))
    for format_ in ("text", "json", "sarif"):
        result = archc("check", "--format", format_)
        assert "A1505" in result.out
        assert secret not in result.out


# ---- reading


def test_every_file_of_a_folder_is_read(archc: Archc, shop: Path) -> None:
    Path("more.arch").write_text(
        "domain billing { owner everybody; service bills { calls ordering.orders } }"
    )
    Path("sub").mkdir()
    Path("sub/not-read.arch").write_text("nonsense {")
    assert archc("check").code == 0
    assert archc("check", "shop.arch").code == 0
    assert archc("check", "more.arch").code == 1


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (SYSTEM.replace("Web shop", "Wébshop").encode("latin-1"), ":1:15\n"),
        (SYSTEM.encode("utf-16"), ":1:1\n"),
        (b"\xff", ":1:1\n"),
        (b"# one\n# tw\xc3", ":2:5\n"),
    ],
)
def test_what_is_no_text_is_a_fault(archc: Archc, content: bytes, expected: str) -> None:
    Path("shop.arch").write_bytes(content)
    result = archc("check")
    assert result.code == 1
    assert "error[A1710]" in result.out
    assert f"--> shop.arch{expected}" in result.out
    assert "save the file as UTF-8" in result.out


def test_bytes_that_are_no_text_have_no_echo(archc: Archc) -> None:
    Path("shop.arch").write_bytes(SYSTEM.replace("Web shop", "Wébshop").encode("latin-1"))
    assert len(json.loads(archc("check", "--format", "json").out)) == 1
    assert archc("build").code == 1
    assert archc("graph").code == 1
    assert [path.name for path in Path().iterdir()] == ["shop.arch"]


@pytest.mark.parametrize("change", ["\ufeff", "crlf"])
def test_byte_order_marks_and_line_ends(archc: Archc, shop: Path, change: str) -> None:
    text = SYSTEM.replace("\n", "\r\n") if change == "crlf" else change + SYSTEM
    shop.write_bytes(text.encode())
    assert archc("check").code == 0
    shop.write_bytes(text.replace("owns orders-db", "owns order-db").encode())
    assert "10 |       owns order-db\n" in archc("check").out


def test_what_cannot_be_read_is_a_fault(
    archc: Archc, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo("pipe.arch")
    assert "this is no file" in archc("check").out
    Path("pipe.arch").unlink()
    Path("folder.arch").mkdir()
    assert archc("check").code == 0
    (tmp_path / "outside.arch").write_text("# somebody's secret")
    Path("link.arch").symlink_to(tmp_path / "outside.arch")
    result = archc("check")
    assert "error[A1707]" in result.out
    assert "secret" not in result.out
    Path("link.arch").unlink()
    Path("gone.arch").symlink_to("nowhere")
    assert archc("check").code == 1
    Path("gone.arch").unlink()
    monkeypatch.setattr("archc.backends.cli.reader.FILE_BYTES_MAX", 100)
    assert "error[A1706]" in archc("check").out


def test_use_reads_inside_the_project_only(archc: Archc, tmp_path: Path) -> None:
    Path("shop").mkdir()
    Path("types").mkdir()
    Path("types/money.arch").write_text("domain money { type Price { amount decimal } }")
    Path("shop/shop.arch").write_text(
        'use "../types"\n' + SYSTEM.replace("total decimal", "total money.Price")
    )
    assert "error[A1707]" in archc("check", "shop").out
    Path(".git").mkdir()
    assert archc("check", "shop").code == 0
    Path("types/money.arch").write_text("domain money { type Price { amount decimals } }")
    assert "--> types/money.arch:1:" in archc("check", "shop").out
    (tmp_path / "out.arch").write_text("domain out")
    Path("shop/shop.arch").write_text('use "../.."\n' + SYSTEM)
    assert "error[A1707]" in archc("check", "shop").out
    Path("types").rename(tmp_path / "types")
    Path("types").symlink_to(tmp_path / "types")
    Path("shop/shop.arch").write_text('use "../types"\n' + SYSTEM)
    assert "error[A1707]" in archc("check", "shop").out


# ---- diagram and graph


def test_graph(archc: Archc, shop: Path) -> None:
    graph = json.loads(archc("graph").out)
    assert {"name": "ordering.orders", "kind": "service", "domain": "ordering"}.items() <= {
        key: value
        for node in graph["nodes"]
        if node["name"] == "ordering.orders"
        for key, value in node.items()
    }.items()
    assert {"from": "api", "to": "ordering.orders", "kind": "route", "detail": "/orders"} in graph["edges"]
    shop.write_text(FAULTY)
    result = archc("graph")
    assert (result.code, result.out) == (1, "")
    assert "A1702" in result.err


def test_diagrams_in_text(archc: Archc, shop: Path) -> None:
    assert archc("diagram", "--format", "dot").out.startswith("digraph")
    assert archc("diagram", "-o", "shop.mmd", "--view", "context").code == 0
    assert "flowchart" in Path("shop.mmd").read_text()
    assert archc("diagram", "-o", "shop.json", "--env", "production").code == 0
    assert json.loads(Path("shop.json").read_text())
    assert archc("diagram", "-o", "no/folder.dot").code == 1
    shop.write_text(SHARED)
    assert archc("diagram", "--format", "dot", "--env", "production").code == 0
    shop.write_text(FAULTY)
    assert archc("diagram", "--format", "dot").code == 1


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's dot is not installed")
def test_diagrams_as_pictures(archc: Archc, shop: Path) -> None:
    assert "<svg" in archc("diagram").out
    assert archc("diagram", "-o", "shop.png").code == 0
    assert Path("shop.png").read_bytes().startswith(b"\x89PNG")


def test_diagrams_without_graphviz(archc: Archc, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    result = archc("diagram")
    assert result.code == 1
    assert "install Graphviz" in result.err


# ---- explain, rules, doctor


@pytest.mark.parametrize("entry", [*RULES, *FAULTS], ids=lambda entry: entry.code)
def test_every_code_is_explained(archc: Archc, entry: object) -> None:
    result = archc("explain", entry.code.lower())  # type: ignore[attr-defined]
    assert result.code == 0
    assert result.out.startswith(f"# {entry.code}: ")  # type: ignore[attr-defined]
    assert archc("explain", entry.name).out == result.out  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", DOCUMENTED)
def test_every_kind_is_explained(archc: Archc, kind: str) -> None:
    result = archc("explain", kind)
    assert result.code == 0
    for keyword in DOCUMENTED[kind].keywords:
        assert keyword in result.out


def test_rules(archc: Archc) -> None:
    entries = json.loads(archc("rules", "--format", "json").out)
    assert [entry["code"] for entry in entries] == [entry.code for entry in (*RULES, *FAULTS)]
    assert entries[0]["severity"] == {"dev": "warning", "staging": "error", "production": "error"}
    assert entries[0]["practice"] == "separate data storage"
    by_code = {entry["code"]: entry for entry in entries}
    assert by_code["A506"]["fix"] == "automatic"
    assert by_code["A506"]["sources"][-1] == "microservices.io: health check API"
    assert by_code["A101"]["fix"] == ""
    assert all(entry["sources"] for entry in entries if not entry["code"].startswith("A17"))
    text = archc("rules").out
    for entry in entries:
        shown = [entry["code"], entry["name"], *entry["severity"].values(), entry["fix"] or "-"]
        assert re.search(rf"(?m)^{' +'.join(shown)} +{re.escape(entry['title'])}$", text)
        assert f"\n{entry['practice']}\n" in f"\n{text}"


def test_doctor_needs_nothing(archc: Archc, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "dot"
    fake.write_text("#!/bin/sh\necho 'dot 1.2\x1b[31m' >&2\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    result = archc("doctor")
    assert result.code == 0
    assert "there    dot" in result.out
    assert "dot 1.2<U+001B>[31m" in result.out
    assert "missing  docker" in result.out


# ---- init


@pytest.mark.parametrize(("template", "example"), [("minimal", "quickstart"), ("shop", "shop")])
def test_templates_are_the_examples_and_build(archc: Archc, template: str, example: str) -> None:
    result = archc("init", "first", "--template", template)
    assert result.code == 0
    made = files(Path("first"))
    text = (EXAMPLES / example / f"{example}.arch").read_text()
    built = re.findall(r'build "\./([^"]+)"', text)
    code = {
        f"{name}/{path}": content
        for name in built
        for path, content in files(EXAMPLES / example / name).items()
    }
    assert made == {f"{example}.arch": text, **code}
    assert archc("check", "first", "--env", "all").code == 0
    assert archc("build", "first").code == 0


def test_init_overwrites_nothing(archc: Archc) -> None:
    assert archc("init", "first").code == 0
    before = files()
    for template in ("minimal", "shop"):
        result = archc("init", "first", "--template", template)
        assert result.code == 1
        assert "nothing was written" in result.err
    assert files() == before
    Path("half/stock").mkdir(parents=True)
    result = archc("init", "half", "--template", "shop")
    assert (result.code, result.err) == (1, "error: half/stock is there already; nothing was written\n")
    assert files(Path("half")) == {}
    Path("file").write_text("mine")
    assert archc("init", "file").code == 1
    assert Path("file").read_text() == "mine"


# ---- fmt


def test_fmt(archc: Archc) -> None:
    Path("a.arch").write_text("system  a  {}\n")
    Path("b.arch").write_text("system b { }\n")
    Path("a.arch").chmod(0o640)
    result = archc("fmt", "--check")
    assert result.code == 1
    assert "-system  a  {}\n+system a { }\n" in result.out
    assert Path("a.arch").read_text() == "system  a  {}\n"
    before = Path("b.arch").stat().st_mtime_ns
    result = archc("fmt")
    assert (result.code, result.out) == (0, "1 file formatted, 1 file in style\n")
    assert Path("a.arch").read_text() == "system a { }\n"
    assert stat.S_IMODE(Path("a.arch").stat().st_mode) == 0o640
    assert Path("b.arch").stat().st_mtime_ns == before
    assert archc("fmt", "--check", "a.arch", "b.arch").code == 0
    assert sorted(files()) == ["a.arch", "b.arch"]


def test_fmt_leaves_files_with_faults_alone(archc: Archc) -> None:
    Path("a.arch").write_text("system  a  {")
    Path("b.arch").write_bytes(b"system  \xff")
    Path("c.arch").write_text("system  c")
    result = archc("fmt")
    assert result.code == 1
    assert "error[A1710]" in result.out
    assert result.out.endswith("1 file formatted, 2 files left alone\n")
    assert Path("a.arch").read_text() == "system  a  {"
    assert Path("b.arch").read_bytes() == b"system  \xff"


def test_fmt_writes_through_a_link_inside_the_project(archc: Archc) -> None:
    Path("real").mkdir()
    Path("real/a.arch").write_text("system  a")
    Path("a.arch").symlink_to("real/a.arch")
    assert archc("fmt").code == 0
    assert Path("a.arch").is_symlink()
    assert Path("real/a.arch").read_text() == "system a\n"


# ---- anything at all


def test_no_text_is_too_broken(archc: Archc, shop: Path) -> None:
    """Words and marks deleted, doubled and swapped: faults or none, but an answer in every format."""
    chance = random.Random(7)
    pieces = re.findall(r"\w+|\s+|[^\w\s]", SYSTEM)
    for _ in range(60):
        broken = list(pieces)
        for _ in range(chance.randint(1, 6)):
            at, other = chance.randrange(len(broken)), chance.randrange(len(broken))
            change = chance.choice(["delete", "double", "swap", "strange"])
            if change == "delete":
                del broken[at]
            elif change == "double":
                broken.insert(other, broken[at])
            elif change == "swap":
                broken[at], broken[other] = broken[other], broken[at]
            else:
                broken.insert(
                    at, chance.choice(["\x00", "\u202e", '"', '"""', "é", "日", "{" * 70, "\\", "9" * 400])
                )
        shop.write_text("".join(broken))
        found = json.loads(archc("check", "--format", "json").out)
        errors = [fault for fault in found if fault["severity"] == "error"]
        text = archc("check")
        assert text.code == int(bool(errors))
        assert text.out.replace("\n", "").isprintable()
        assert len(json.loads(archc("check", "--format", "sarif").out)["runs"][0]["results"]) == len(found)
        assert archc("fmt", "--check").code in (0, 1)
        assert archc("build", "--target", "compose", "--check").code == 1
