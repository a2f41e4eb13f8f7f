"""The files of one generated program."""

import importlib.resources
from functools import cache

from archc.backends import facts
from archc.backends.backend import Output
from archc.backends.contracts.openapi import contract
from archc.backends.formats import to_json
from archc.backends.services import clients, events, generated_tests, http, models, protocols, tables, wiring
from archc.backends.services.code import Code, doc, literal, name, render
from archc.backends.services.models import HEAD
from archc.backends.services.packages import pinned, required
from archc.backends.services.program import Program

_BASE = ("__init__", "context", "errors", "lifecycle", "logs", "settings", "traces", "types")
_SERVICE = ("app", "examples", "idempotency", "identity", "operations", "pages", "problems", "server")
_DRIVERS = {"postgres": "asyncpg", "mysql": "aiomysql", "sqlite": "aiosqlite"}


def files(program: Program) -> dict[str, Output]:
    """All files of a program by path, below services/<name>/."""
    root, package = (
        f"services/{program.element.name}",
        f"services/{program.element.name}/src/{program.package}",
    )
    owned = {
        f"{root}/pyproject.toml": _pyproject(program),
        f"{root}/requirements.txt": _requirements(program),
        f"{root}/Dockerfile": _dockerfile(program),
        f"{root}/.dockerignore": _DOCKERIGNORE,
        f"{package}/__init__.py": f'{HEAD}\n"""A program of the architecture."""\n',
        f"{package}/py.typed": "",
        f"{package}/__main__.py": _template(program, "package_main.py.j2"),
        f"{package}/_gen/__init__.py": f'{HEAD}\n"""Written anew each time; your code is in `handlers`."""\n',
    }
    if not program.is_job:
        owned[f"{package}/health.py"] = _template(program, "package_health.py.j2")
    owned |= {f"{package}/_gen/{file}": text for file, text in _generated(program).items()}
    owned |= {
        f"{package}/_gen/runtime/{module}.py": _runtime(module) for module in sorted(runtime_modules(program))
    }
    owned |= {f"{root}/tests/{file}": text for file, text in generated_tests.files(program).items()}
    once = {f"{package}/handlers/{file}": text for file, text in _handlers(program).items()}
    once[f"{root}/tests/test_{program.package}.py"] = generated_tests.own(program)
    return {path: Output(text) for path, text in owned.items()} | {
        path: Output(text, "once") for path, text in once.items()
    }


def _generated(program: Program) -> dict[str, str]:
    found = {
        "models.py": models.module(program),
        "settings.py": wiring.settings_module(program),
        "resources.py": wiring.resources_module(program),
        "main.py": wiring.main_module(program) if program.is_service else wiring.worker_main_module(program),
    }
    if program.operations:
        found["api.py"] = http.api_module(program)
        found["openapi.json"] = to_json(contract(program.system, program.graph, program.element))
    if program.callees:
        found["clients.py"] = clients.module(program)
    if protocols.protocols(program):
        found["proto.py"] = protocols.proto_module(program)
    if program.protocol is not None:
        found["rpc.py"] = protocols.rpc_module(program, program.protocol)
    if program.topics:
        found["topics.py"] = events.topics_module(program)
    if program.consumes:
        found["events.py"] = events.events_module(program)
    elif program.is_job:
        found["job.py"] = render("job.py.j2", head=HEAD, title=name(program.title))
    elif not program.is_service:
        found["work.py"] = render("work.py.j2", head=HEAD, title=name(program.title))
    return found


def _handlers(program: Program) -> dict[str, str]:
    element, title = doc(program.element.name), name(program.title)
    found = {"__init__.py": '"""Your code: archc writes these files once and never touches them again."""\n'}
    if program.operations:
        found["api.py"] = http.handlers_module(program)
    if program.protocol is not None:
        found["rpc.py"] = protocols.handlers_module(program, program.protocol)
    if program.consumes:
        found["events.py"] = events.handlers_module(program)
    elif program.is_job:
        found["job.py"] = render("handlers_job.py.j2", element=element, title=title)
    elif not program.is_service:
        found["work.py"] = render("handlers_worker.py.j2", element=element, title=title)
    if wiring.has_tables(program):
        found["tables.py"] = tables.module(program)
    return found


def runtime_modules(program: Program) -> set[str]:
    """The modules of the runtime that a program needs."""
    found = {*_BASE, *(_SERVICE if program.is_service else ("worker",))}
    found |= {wiring.STORE_MODULES[store.class_name] for store in program.stores if store.class_name}
    if "search" in found or any(callee.protocol is None for callee in program.callees):
        found |= {"http_client", "pages"}
    if any(callee.protocol is not None for callee in program.callees):
        found |= {"grpc_client", "grpc_schema", "grpc_status", "http_client", "pages"}
    if program.protocol is not None:
        found |= {"grpc_server", "grpc_client", "grpc_schema", "grpc_status", "http_client", "pages"}
    if program.topics or program.consumes:
        found |= {"events", "kafka"}
    if any(topic.is_outbox for topic in program.topics):
        found.add("outbox")
    if program.consumes:
        found |= {"consumer"} | ({"inbox"} if program.database is not None else set())
    if program.database is not None and wiring.uses_keys(program):
        found.add("database_keys")
    return found


@cache
def _runtime(module: str) -> str:
    folder = importlib.resources.files("archc.backends.services.runtime")
    return f"{HEAD}\n{(folder / f'{module}.py').read_text(encoding='utf-8')}"


def libraries(program: Program) -> set[str]:
    """The libraries that a program itself imports."""
    modules = runtime_modules(program)
    found = {"httpx", "pydantic"}
    found |= {"fastapi", "uvicorn", "prometheus_client"} if program.is_service else set()
    found |= {"joserfc"} if program.is_guarded else set()
    found |= {"redis"} if "cache" in modules else set()
    found |= {"aiokafka"} if "kafka" in modules else set()
    found |= {"grpcio", "protobuf"} if "grpc_schema" in modules else set()
    found |= {"grpcio-health-checking"} if "grpc_server" in modules else set()
    if "database" in modules:
        found |= {"SQLAlchemy", *(_DRIVERS[s.engine] for s in program.stores if s.class_name == "Database")}
    return found


def _requirements(program: Program) -> str:
    return "\n".join([str(HEAD), *pinned(libraries(program))]) + "\n"


def _pyproject(program: Program) -> str:
    requirements = [literal(requirement) for requirement in required(libraries(program))]
    return render(
        "pyproject.toml.j2",
        element=doc(program.element.name),
        package=name(program.package),
        requirements=requirements,
    )


def _dockerfile(program: Program) -> str:
    ports = [str(facts.SERVICE_PORT), *([str(facts.GRPC_PORT)] if program.protocol is not None else [])]
    return render(
        "Dockerfile.j2",
        package=name(program.package),
        is_service=program.is_service,
        is_job=program.is_job,
        ports=Code(" ".join(ports)),
    )


def _template(program: Program, template: str) -> str:
    return render(template, head=HEAD, package=name(program.package), is_service=program.is_service)


_DOCKERIGNORE = f"{HEAD}\n*\n!requirements.txt\n!src\n**/__pycache__\n"
