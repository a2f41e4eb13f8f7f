"""Frontends: a page in a container for each one that brings neither an image nor a folder to build.

The pages are a person's from the first build on; the server's configuration stays archc's.
"""

from functools import cache
from typing import Any

from archc.backends.backend import Backend, Output, Outputs, Plan
from archc.backends.engines import image_of
from archc.backends.workloads.code import frontend_folder
from archc.backends.workloads.peers import composed
from archc.compiler import model

__all__ = ["BACKEND"]


def _render(plan: Plan) -> Outputs:
    outputs: dict[str, Output] = {}
    for frontend in plan.system.all(model.Frontend):
        if frontend.image or frontend.build is not None:
            continue
        folder = frontend_folder(frontend)
        page = (
            _templates()
            .get_template("index.html.j2")
            .render(
                title=frontend.title or frontend.name,
                doc=frontend.doc,
                parts=[
                    (part.title or part.name, mount)
                    for part in composed(plan, frontend)
                    for mount in part.mounts
                ],
            )
        )
        outputs[f"{folder}/public/index.html"] = Output(page, "once")
        outputs[f"{folder}/Dockerfile"] = Output(
            _templates().get_template("Dockerfile.j2").render(image=image_of("nginx")), "once"
        )
        outputs[f"{folder}/.dockerignore"] = Output("*\n!nginx.conf\n!public\n", "once")
        outputs[f"{folder}/nginx.conf"] = Output(_templates().get_template("nginx.conf.j2").render())
    return outputs


@cache
def _templates() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    return Environment(
        loader=PackageLoader("archc.backends.frontends"),
        autoescape=select_autoescape(("html.j2",)),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )


BACKEND = Backend(
    name="frontends",
    doc="A page in a container for each frontend that brings no image and no folder of its own.",
    part="system",
    platforms=("compose", "kubernetes"),
    render=_render,
)
