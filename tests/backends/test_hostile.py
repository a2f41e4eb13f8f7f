"""Whatever a person writes where words are free comes back as data: never as structure, never as code.

Each hostile value goes into slots that the schema names, in the system of every kind; all backends render
it, and the files are read back by the rules of the programs they are for. Texts must leave the shape of every
file as harmless words would. ARCHC_HOSTILE=N tries N times as much; ARCHC_HOSTILE=all tries every text in
every slot that takes one, and every value of a slot's type in it by itself, and takes hours.
"""

import os
import random
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from archc.backends import compose, gateway, kubernetes
from archc.backends.backend import Backend
from archc.compiler.compilation import Compilation
from archc.compiler.pipeline import compile_source
from tests.backends.building import EVERYTHING, plan_of, whole
from tests.backends.hostility import HARMLESS, HOSTILE, LONG_TEXTS, MARK, TEXTS, YAMLS, differences
from tests.backends.judging import complaints
from tests.backends.names import renamed
from tests.backends.reading import read
from tests.backends.slots import FREE, Filled, Slot, literal, slots

PLATFORMS = ("compose", "kubernetes")
BASE = EVERYTHING.partition("environment ")[0]
WANTED = os.environ.get("ARCHC_HOSTILE", "1")
ALL = tuple(slots())
# An element with an image or a folder of its own is configured by its owner: these are filled by themselves.
TOGETHER = tuple(slot for slot in ALL if slot.keyword not in ("image", "build"))
# Texts whose words decide what is generated: a condition that cannot hold has no route, `*` is any site.
_MEANINGFUL = ("gateway.route.header", "gateway.route.query", "gateway.cors.origins")
# Texts that show nothing, and so leave out the line that would show them.
_BLANK = ("\n", "\f", "\u00a0", "")
# Turns that follow each other are far apart.
_STRIDE = 37
# What is no fault of the text: the value is of no use as what it should be.
_REFUSALS = ("A1701", "A1702", "A1704", "A1712", "A1713", "A1714")


def rounds(short: int, all_: int) -> range:
    """How often a test is done: `short` times, N times as often, or as often as makes it whole."""
    return range(all_ if WANTED == "all" else min(all_, short * int(WANTED)))


def once(wanted: Iterable[Slot]) -> list[Slot]:
    """The slots that can be filled together: of a statement that may stand once, the first alone."""
    chosen: dict[tuple[str, str, int], Slot] = {}
    for number, slot in enumerate(wanted):
        stands_once = not slot.path or not slot.path[0][1].many
        chosen.setdefault((slot.kind.name, slot.keyword, 0 if stands_once else number), slot)
    return list(chosen.values())


def accepted(values: Iterable[tuple[Slot, str]], platform: str) -> tuple[Filled, Compilation]:
    """The system with the values that the language takes; the others are refused where they stand."""
    filled = Filled(tuple(values), platform)
    while True:
        compilation = compile_source({"hostile.arch": filled.text}, "hostile", today="2026-06-01")
        errors = [d for d in compilation.diagnostics if d.severity == "error"]
        if not errors:
            return filled, compilation
        assert all(d.code in _REFUSALS for d in errors), errors
        filled = replace(filled, without=filled.without | {filled.lines[d.span.line] for d in errors})


def files_of(compilation: Compilation) -> dict[str, str]:
    return whole(plan_of(compilation))


def filled_with(wanted: Iterable[Slot], text: str) -> tuple[tuple[Slot, str], ...]:
    return tuple((slot, literal(slot.parameter.type, text)) for slot in wanted)


@cache
def harmless(wanted: tuple[Slot, ...], platform: str) -> dict[str, str]:
    """What is made of harmless words in the slots."""
    return files_of(accepted(filled_with(wanted, MARK), platform)[1])


def changes(plain: dict[str, str], hostile: dict[str, str]) -> Iterator[str]:
    """Where two builds differ in more than texts."""
    if plain.keys() != hostile.keys():
        yield f"other files: {sorted(plain.keys() ^ hostile.keys())}"
    for path in sorted(plain.keys() & hostile.keys()):
        if plain[path] != hostile[path]:
            yield from differences(read(path, plain[path]), read(path, hostile[path]), path)


# ---- the slots


def test_every_free_slot_takes_harmless_words() -> None:
    together = once(TOGETHER)
    for wanted in [together, *([slot] for slot in ALL if slot not in together)]:
        values = [(slot, literal(slot.parameter.type, HARMLESS[slot.parameter.type])) for slot in wanted]
        filled, _ = accepted(values, "compose")
        assert {name for name, _ in filled.lines.values()} == {slot.name for slot in wanted}


def test_there_is_a_slot_of_every_type_and_a_value_for_each() -> None:
    assert {slot.parameter.type for slot in ALL} == set(FREE) == set(HOSTILE) == set(HARMLESS)
    assert len(ALL) > 300


# ---- texts


TEXT_SLOTS = tuple(
    slot
    for slot in once(TOGETHER)
    if slot.parameter.type in ("text", "texts") and slot.name not in _MEANINGFUL
)


@pytest.mark.parametrize("turn", rounds(10, len(TEXTS)))
def test_texts_change_no_files_shape(turn: int) -> None:
    """Each slot gets another text at each turn, so that after all turns it has had every one."""
    platform = PLATFORMS[turn % 2]
    texts = [TEXTS[(number + turn * _STRIDE) % len(TEXTS)] for number in range(len(TEXT_SLOTS))]
    values = [
        (slot, literal(slot.parameter.type, f"a{text}b" if text in _BLANK else text))
        for slot, text in zip(TEXT_SLOTS, texts, strict=True)
    ]
    filled, compilation = accepted(values, platform)
    assert not filled.without, "a text is refused"
    assert list(changes(harmless(TEXT_SLOTS, platform), files_of(compilation))) == []


@pytest.mark.parametrize("text", [*LONG_TEXTS, *_BLANK], ids=lambda text: repr(text[:8]))
def test_long_and_empty_texts_leave_files_readable(text: str) -> None:
    _, compilation = accepted(filled_with(TEXT_SLOTS, text), "compose")
    for path, content in files_of(compilation).items():
        read(path, content)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_texts_reach_programs_as_they_are_written(platform: str) -> None:
    """In one container's environment, where Compose and Kubernetes would put variables in."""
    statements = "; ".join(f"env TEXT_{n} {literal('text', text)}" for n, text in enumerate(TEXTS))
    change = f"service selling.old {{ {statements} }}"
    environment = f"environment e {{ platform {platform}; profile dev; {change} }}"
    files = files_of(compile_source({"texts.arch": f"{BASE}\n{environment}\n"}, "e"))
    file = "compose.yaml" if platform == "compose" else "everything-selling/old.yaml"
    (path,) = (path for path in files if path.endswith(file))
    found = dict(_environment(read(path, files[path])))
    assert [found[f"TEXT_{n}"] for n in range(len(TEXTS))] == list(TEXTS)


def _environment(documents: list[Any]) -> Iterator[tuple[str, str]]:
    """The container's variables as it gets them.

    `$$` is a dollar sign to Compose, and to Kubernetes before a bracket.
    """
    for document in documents:
        for name, value in document.get("services", {}).get("old", {}).get("environment", {}).items():
            assert not re.search(r"(?<!\$)(?:\$\$)*\$(?!\$)", value), value
            yield name, value.replace("$$", "$")
        for container in document.get("spec", {}).get("template", {}).get("spec", {}).get("containers", ()):
            for variable in container.get("env", ()):
                value = variable.get("value", "")
                assert not re.search(r"(?<!\$)(?:\$\$)*\$\(", value), value
                yield variable["name"], value.replace("$$(", "$(")


# ---- everything else: what it means may change files, but they stay what their readers take


@pytest.mark.parametrize("seed", rounds(4, 400))
def test_values_of_all_types_at_once_leave_files_that_programs_take(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    # A patch changes what is generated, and may well make nonsense of it.
    wanted = [slot for slot in once(TOGETHER) if slot.parameter.type != "yaml"]
    values = [(s, literal(s.parameter.type, chance.choice(HOSTILE[s.parameter.type]))) for s in wanted]
    files = files_of(accepted(values, PLATFORMS[seed % 2])[1])
    for path, content in files.items():
        read(path, content)
    assert list(complaints(files, tmp_path)) == []


def pairs() -> list[tuple[Slot, str]]:
    """Slots and hostile values, each by itself: all, or some by chance."""
    every = [(slot, value) for slot in ALL for value in HOSTILE[slot.parameter.type]]
    return random.Random(7).sample(every, len(rounds(16, len(every))))


@pytest.mark.parametrize(("slot", "value"), pairs(), ids=lambda part: getattr(part, "name", ""))
def test_one_value_in_one_slot(slot: Slot, value: str) -> None:
    platform = PLATFORMS[len(value) % 2]
    _, compilation = accepted([(slot, literal(slot.parameter.type, value))], platform)
    for path, content in files_of(compilation).items():
        read(path, content)


PATCHED = (
    (kubernetes.BACKEND, "service selling.old", ("Deployment", "Service", "ServiceAccount", "NetworkPolicy")),
    (kubernetes.BACKEND, "database making.things-db", ("StatefulSet",)),
    (compose.BACKEND, "service selling.old", ("",)),
    (gateway.BACKEND, "gateway api", ("", "listener", "cluster", "route", "http")),
)


@pytest.mark.parametrize(
    ("backend", "element", "objects"), PATCHED, ids=lambda part: getattr(part, "name", "")
)
def test_patches_of_objects_raise_nothing(backend: Backend, element: str, objects: tuple[str, ...]) -> None:
    target = {"gateway": "envoy"}.get(backend.name, backend.name)
    for text in YAMLS:
        for what in objects:
            # Twice: the second meets what the first has left.
            written = f"patch {what} {literal('yaml', text)}; patch {what} {literal('yaml', text + ' ')}"
            change = f"{element} {{ {target} {{ {written} }} }}"
            environment = f"environment e {{ platform {backend.platforms[-1]}; profile dev; {change} }}"
            compilation = compile_source({"patched.arch": f"{BASE}\n{environment}\n"}, "e")
            if not compilation.has_errors:
                for path, output in backend.render(plan_of(compilation)).items():
                    read(path, output.content)


FILES = ('a"b.arch', "a b<i>.arch", "$(id).arch", "`a`|b.arch", "日本/é.arch", "a\\b.arch", "#{{x}}.arch")


@pytest.mark.parametrize("file", FILES)
def test_names_of_files_are_data(file: str) -> None:
    plain, hostile = (
        files_of(compile_source({name: EVERYTHING}, "local")) for name in (f"{MARK}.arch", file)
    )
    assert list(changes(plain, hostile)) == []


# ---- names


@pytest.mark.parametrize("seed", rounds(2, 200))
@pytest.mark.parametrize("what", ["elements", "fields", "types"])
def test_names_that_mean_something_elsewhere_make_code_that_imports(
    what: str, seed: int, tmp_path: Path
) -> None:
    compilation = compile_source({"renamed.arch": renamed(what, seed)}, "local")
    assert not compilation.has_errors, compilation.diagnostics
    for path, content in files_of(compilation).items():
        read(path, content)
        if path.startswith("services/"):
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
    sources = sorted(tmp_path.glob("services/*/src"))
    modules = [
        ".".join(file.relative_to(source).with_suffix("").parts)
        for source in sources
        for file in sorted(source.rglob("*.py"))
        if file.name != "__main__.py"
    ]
    command = [sys.executable, "-W", "error::UserWarning", "-c", _IMPORT, os.pathsep.join(map(str, sources))]
    done = subprocess.run([*command, *modules], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]


# Behind the modules of Python and its libraries, which no package may hide.
_IMPORT = """\
import importlib, os, sys
sys.path += sys.argv[1].split(os.pathsep)
for module in sys.argv[2:]:
    importlib.import_module(module)
"""
