"""Each configuration file that Compose mounts is the one the program reads there."""

from pathlib import Path

import yaml

from archc.backends.backend import Plan
from archc.backends.compose import BACKEND
from archc.backends.workloads import workloads
from archc.compiler.pipeline import compile_source

SHOP = Path(__file__).parent.parent.parent / "examples" / "shop" / "shop.arch"


def test_every_program_reads_its_own_files() -> None:
    compilation = compile_source({"shop.arch": SHOP.read_text(encoding="utf-8")}, "local")
    assert compilation.system is not None
    plan = Plan(compilation, compilation.system, compilation.graph)
    data = yaml.safe_load(BACKEND.render(plan)["deploy/local/compose.yaml"].content)
    seen = 0
    for program in workloads(plan):
        mounts = data["services"][program.name].get("configs", [])
        found = {mount["target"]: data["configs"][mount["source"]]["file"] for mount in mounts}
        wanted = {file.target: "./" + file.source.removeprefix("deploy/local/") for file in program.files}
        assert found == wanted
        seen += len(wanted)
    assert seen > 5
