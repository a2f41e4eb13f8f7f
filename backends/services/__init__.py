"""Services: the Python code of every service, worker and job that has no image and no build of its own.

Two kinds of files: `_gen` and what is beside it is written anew each time, `handlers` is written once and
belongs to a person from then on. Imports go one way: handlers use `_gen`.
"""

from archc.backends import facts
from archc.backends.backend import Backend, Output, Outputs, Plan
from archc.backends.services.files import files
from archc.backends.services.program import Program
from archc.compiler import model


def render(plan: Plan) -> Outputs:
    """services/<name>/ for each generated program."""
    found: dict[str, Output] = {}
    for element in plan.system.all(model.Code):
        if facts.is_generated(element):
            found |= files(Program(plan.system, plan.graph, element))
    return found


BACKEND = Backend(
    name="services",
    doc="Python services, workers and jobs: models, routes, clients, stores, events, tests, Dockerfiles.",
    part="system",
    platforms=("compose", "kubernetes"),
    render=render,
)
