"""The tests that a generated program brings along."""

import json
from collections.abc import Sequence
from typing import Any

from archc.backends import naming
from archc.backends.contracts.proto import Protocol, ProtoRpc
from archc.backends.contracts.schemas import example_of, example_value
from archc.backends.services import events, wiring
from archc.backends.services.annotations import class_names
from archc.backends.services.code import Code, Imports, literal, name, render, wrapped
from archc.backends.services.models import HEAD
from archc.backends.services.program import Program, TopicView
from archc.backends.services.protocols import constant, rpc_types
from archc.compiler import model

# What each test module imports; `{}` is the program's package, and `*` before a name means `import name`.
_IMPORTS: dict[str, dict[str, str]] = {
    "api": {
        "*": "json pytest",
        "typing": "Any",
        "fastapi.testclient": "TestClient",
        "{}._gen": "api",
        "{}._gen.main": "CONTRACT create",
        "{}._gen.resources": "Resources",
        "{}._gen.runtime.examples": "Example ScopesOfToken answering examples without_nulls",
        "{}._gen.runtime.idempotency": "MemoryKeys",
        "{}._gen.runtime.lifecycle": "Lifecycle",
        "{}._gen.runtime.operations": "Operation",
        "{}._gen.settings": "Settings",
    },
    "conftest": {"*": "pytest", "pathlib": "Path", "{}._gen.settings": "Settings"},
    "events": {
        "*": "asyncio pytest",
        "collections.abc": "Sequence",
        "{}._gen.events": "subscriptions",
        "{}._gen.resources": "Resources",
        "{}._gen.runtime": "consumer",
        "{}._gen.runtime.consumer": "Consumer Subscription",
        "{}._gen.runtime.events": "Message",
        "{}._gen.settings": "Settings",
    },
    "health": {
        "*": "json logging",
        "fastapi.testclient": "TestClient",
        "{}._gen.main": "PERSONAL create",
        "{}._gen.runtime.lifecycle": "Lifecycle",
        "{}._gen.runtime.logs": "JsonFormatter",
        "{}._gen.settings": "Settings",
    },
    "models": {"*": "json pydantic pytest", "typing": "Any", "{}._gen": "models"},
    "rpc": {
        "*": "asyncio pydantic pytest",
        "pathlib": "Path",
        "typing": "Any",
        "{}._gen": "proto",
        "{}._gen.resources": "Resources",
        "{}._gen.rpc": "rpcs",
        "{}._gen.runtime": "context",
        "{}._gen.runtime.errors": "DependencyError",
        "{}._gen.runtime.examples": "ScopesOfToken",
        "{}._gen.runtime.grpc_client": "GrpcClient",
        "{}._gen.runtime.grpc_server": "GrpcServer",
        "{}._gen.runtime.http_client": "Policy",
        "{}._gen.runtime.identity": "Caller",
    },
    "settings": {
        "*": "pytest",
        "pathlib": "Path",
        "{}._gen.runtime.settings": "MissingSettingsError",
        "{}._gen.settings": "Settings",
    },
    "topics": {
        "*": "pydantic pytest",
        "{}._gen": "models topics",
        "{}._gen.runtime.events": "Topic",
    },
}


def files(program: Program) -> dict[str, str]:
    """tests/conftest.py and tests/_gen, by file."""
    found = {"conftest.py": _conftest(program), "_gen/test_generated_settings.py": _settings(program)}
    examples = _model_examples(program)
    if examples:
        found["_gen/test_generated_models.py"] = _render("models", program, examples=examples)
    if program.is_service:
        found["_gen/test_generated_health.py"] = _render("health", program)
    if program.operations:
        found["_gen/test_generated_api.py"] = _api(program)
    if program.topics:
        found["_gen/test_generated_topics.py"] = _topics(program)
    if program.consumes:
        found["_gen/test_generated_events.py"] = _events(program)
    if program.protocol is not None:
        found["_gen/test_generated_rpc.py"] = _rpc(program, program.protocol)
    return found


def _render(template: str, program: Program, imports: Imports | None = None, **values: Any) -> str:
    imports = imports or _imports(template, program)
    common = {"head": HEAD, "package": name(program.package), "title": name(program.title)}
    return render(f"tests/{template}.py.j2", imports=imports, **common, **values)


def _imports(template: str, program: Program) -> Imports:
    imports = Imports()
    for module, names in _IMPORTS[template].items():
        if module == "*":
            imports.module(*names.split())
        else:
            imports.names(module.format(program.package), *names.split())
    return imports


def _conftest(program: Program) -> str:
    """Settings that lead nowhere."""
    settings = wiring.settings_of(program)
    given = [f"{literal(s.variable)}: {literal(_value(s))}" for s in settings if s.is_needed]
    secrets = [literal(s.secret) for s in settings if s.secret]
    return _render(
        "conftest", program, environment=exploded("{", given, "}"), secrets=exploded("[", secrets, "]")
    )


def _settings(program: Program) -> str:
    needed = [literal(s.variable) for s in wiring.settings_of(program) if s.is_needed]
    return _render("settings", program, needed=exploded("[", needed, "]"))


def _api(program: Program) -> str:
    records = program.operations
    return _render(
        "api",
        program,
        has_scopes=any(o.record.scope for o in records),
        has_bodies=any(_takes_object(program, o.body) for o in records),
        has_keys=any(o.takes_key for o in records),
    )


def own(program: Program) -> str:
    """tests/test_<package>.py, written once."""
    return render("tests/own.py.j2", package=name(program.package))


def exploded(head: str, items: Sequence[str], tail: str) -> Code:
    """A list or a mapping with a line for each entry."""
    return Code(f"{head}{tail}") if not items else wrapped(head, items, tail, length=0)


def _value(setting: wiring.Setting) -> str:
    """A value of a setting that a library takes, though nothing is there."""
    kind = setting.scheme
    return f"{kind}://user@example.invalid:1234/name" if kind else "example.invalid:1234"


def _takes_object(program: Program, body: model.DataType | None) -> bool:
    return body is not None and isinstance(program.system.elements.get(body.name), model.Type)


def _example(program: Program, shape: model.Element) -> Code:
    return literal(json.dumps(example_of(shape, program.shapes)))


def _model_examples(program: Program) -> list[Code]:
    classes = class_names(program.shapes)
    return [
        wrapped("(", [f"models.{classes[shape.id]}", _example(program, shape)], ")", 4)
        for _, shape in program.shapes
        if not isinstance(shape, model.Enum)
    ]


def _topic_examples(program: Program) -> list[Code]:
    classes = class_names(program.shapes)
    return [
        wrapped("(", [_made(topic), f"models.{classes[event.id]}", _example(program, event)], ")", 4)
        for topic in program.topics
        for event in topic.events
    ]


def _topics(program: Program) -> str:
    imports = _imports("topics", program)
    has_direct = not all(topic.is_outbox for topic in program.topics)
    if has_direct:
        imports.names("collections.abc", "Sequence")
        imports.names(f"{program.package}._gen.runtime.events", "Message")
    return _render("topics", program, imports, examples=_topic_examples(program), has_direct=has_direct)


def _made(topic: TopicView) -> str:
    """A topic that sends nothing."""
    return f"topics.{topic.class_name}({'' if topic.is_outbox else 'Nobody()'})"


def _events(program: Program) -> str:
    imports = _imports("events", program)
    imports.names(f"{program.package}._gen.events", f"{program.title}EventsBase")
    examples = [
        f"{literal(events.event_type(program, event))}: {_example(program, event)}"
        for event, _ in events.consumed(program).values()
    ]
    return _render("events", program, imports, examples=exploded("{", examples, "}"))


def _rpc(program: Program, spoken: Protocol) -> str:
    imports = _imports("rpc", program)
    imports.names(f"{program.package}._gen.rpc", f"{program.title}RpcBase")
    cases = [_rpc_case(program, rpc, imports) for rpc in spoken.rpcs]
    scopes = ",".join(sorted({rpc.record.scope for rpc in spoken.rpcs if rpc.record.scope}))
    token = literal(f"Bearer {scopes}" if scopes else "")
    return _render("rpc", program, imports, cases=cases, schema=constant(spoken), token=token)


def _rpc_case(program: Program, rpc: ProtoRpc, imports: Imports) -> dict[str, Code]:
    taken, given = rpc_types(rpc, class_names(program.shapes), imports)
    if "models." in f"{taken}{given}":
        imports.names(f"{program.package}._gen", "models")
    parameters = ["self", *([] if taken == "None" else [f"request: {taken}"]), "caller: Caller"]
    head = f"async def {name(naming.variable(rpc.record.name))}("
    constant_name = name(naming.upper(rpc.record.name))

    def statement(head: str, data_type: model.DataType | None, indent: int = 4) -> Code:
        return wrapped(f"{head}.validate_json(", [_json_of(program, data_type)], ")", indent)

    returned = statement(f"example: {given} = {constant_name}_GIVEN", rpc.record.result, 8)
    return {
        "name": constant_name,
        "method": name(naming.snake(rpc.record.name)),
        "literal": literal(rpc.record.name),
        "signature": wrapped(head, parameters, f") -> {given}:", 4),
        "taken": taken,
        "given": given,
        "request": statement(f"request = {constant_name}_TAKEN", rpc.record.request),
        "expected": statement(f"expected = {constant_name}_GIVEN", rpc.record.result),
        "returned": Code("return None") if given == "None" else returned,
        "messages": Code(f"{literal(rpc.request)}, {literal(rpc.response)}"),
    }


def _json_of(program: Program, data_type: model.DataType | None) -> Code:
    if data_type is None:
        return literal("null")
    return literal(json.dumps(example_value(data_type, program.shapes)))
