"""The house's own rules: rooms and imports, sizes, packaging, words."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = {"dsl": {"dsl"}, "compiler": {"dsl", "compiler"}, "backends": {"dsl", "compiler", "backends"}}
LINES_PER_MODULE_MAX = 500
LINES_PER_FUNCTION_MAX = 70
SOURCES = sorted(
    path for room in ROOMS for path in (ROOT / room).rglob("*.py") if "templates" not in path.parts
)


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_module_is_small_and_imports_one_way(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LINES_PER_MODULE_MAX
    tree = ast.parse(text)
    allowed = ROOMS[path.relative_to(ROOT).parts[0]]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno <= LINES_PER_FUNCTION_MAX, node.name
        for module in _imported(node):
            first, *rest = module.split(".")
            assert first not in ROOMS, f"say archc.{module}"
            assert first != "archc" or not rest or rest[0] in allowed, f"{module} is against the way"


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_public_things_say_what_they_are(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "the module has no docstring"
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{node.name} has no docstring"


def test_packages_of_the_wheel_are_the_packages_of_the_tree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = set(project["tool"]["setuptools"]["packages"])
    folders = {path.parent for path in SOURCES if path.name == "__init__.py"}
    folders |= {path.parent for path in (ROOT / "backends").rglob("templates/**/*") if path.is_file()}
    there = {"archc." + folder.relative_to(ROOT).as_posix().replace("/", ".") for folder in folders}
    assert listed == {name for name in there if "__pycache__" not in name}


def test_the_pipeline_fits_a_page_and_knows_no_backend() -> None:
    text = (ROOT / "compiler" / "pipeline.py").read_text(encoding="utf-8")
    assert "backends" not in text
    tree = ast.parse(text)
    main = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "compile_source")
    assert (main.end_lineno or 0) - main.lineno <= 60


def test_the_repository_names_no_machine() -> None:
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("not a git checkout: there is no list of the project's files")
    forbidden = re.compile(r"(?<![\w./-])/(?:work|root|home/\w+|farm)/")
    for name in listing.stdout.splitlines():
        path = ROOT / name
        if path.suffix in {".py", ".md", ".toml", ".sh", ".yaml", ".yml", ".arch"} and path.is_file():
            assert not forbidden.search(path.read_text(encoding="utf-8")), name
