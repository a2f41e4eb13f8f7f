"""The bundled log broker in outputs: its program, copied as it is, and the topics it makes when it starts."""

from collections.abc import Iterator
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from archc.backends import facts
from archc.backends.backend import Backend, Output, Outputs, Plan
from archc.backends.formats import to_json
from archc.backends.topics import declared_topics
from archc.backends.workloads.platform import broker_folder
from archc.compiler import model

__all__ = ["BACKEND"]

# The package's name where it is copied to, and what of it is not part of the program.
_PACKAGE = "logbroker"
_BESIDE = ("Dockerfile", "pyproject.toml", "requirements.txt", "README.md")


def _render(plan: Plan) -> Outputs:
    outputs: dict[str, Output] = {}
    for broker in plan.system.all(model.Broker):
        if facts.engine_name(broker) != _PACKAGE:
            continue
        folder = broker_folder(plan, broker)
        outputs |= {f"{folder}/{name}": Output(text) for name, text in _program().items()}
        topics = [
            {"name": topic.name, "partitions": topic.partitions, "configs": dict(topic.configs)}
            for topic in declared_topics(plan, broker)
        ]
        outputs[f"{folder}/topics.json"] = Output(to_json({"topics": topics}))
    return outputs


@cache
def _program() -> dict[str, str]:
    """The broker's files, by their paths in the folder that its image is built from."""
    package = resources.files("archc.backends.broker")
    files = {name: (package / name).read_text(encoding="utf-8") for name in _BESIDE}
    files |= {f"{_PACKAGE}/{path}": text for path, text in _files(package) if path not in files}
    files[".dockerignore"] = (
        f"*\n!{_PACKAGE}/**/*.py\n!{_PACKAGE}/**/*.txt\n!requirements.txt\n!topics.json\n"
    )
    return files


def _files(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _files(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith((".py", ".txt")):
            yield f"{prefix}{entry.name}", entry.read_text(encoding="utf-8")


BACKEND = Backend(
    name="logbroker",
    doc="The bundled log broker's program, and the topics it makes when it starts.",
    part="environment",
    platforms=("compose", "kubernetes"),
    render=_render,
)
