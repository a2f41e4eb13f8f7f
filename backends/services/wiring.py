"""The modules that put a program together: settings, resources, the main module."""

from dataclasses import dataclass

from archc.backends import facts
from archc.backends.services.code import Code, Imports, literal, name, render, wrapped
from archc.backends.services.models import HEAD
from archc.backends.services.program import Program, StoreView
from archc.backends.services.protocols import constant
from archc.compiler.stopping import FINISH_S, NOTICE_S

STORE_MODULES = {"Database": "database", "Cache": "cache", "Search": "search", "Bucket": "bucket"}
IDENTITY = ("OIDC_ISSUER", "OIDC_AUDIENCE", "OIDC_JWKS_URI")


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting as code: its attribute, its type, how it is read, and its environment variable.

    `secret` is the file whose password it needs. `is_needed` is false where it has a default. `scheme`
    is what a URL begins with, "" for what is none.
    """

    name: Code
    variable: str
    kind: str
    read: Code
    secret: str = ""
    is_needed: bool = True
    scheme: str = ""

    @property
    def declaration(self) -> Code:
        """The line of the class; what holds a password is not shown."""
        return Code(f"{self.name}: {self.kind}{' = field(repr=False)' if self.secret else ''}")


def settings_of(program: Program) -> tuple[Setting, ...]:
    """All settings of a program, those that must be given first."""
    urls = [s for s in program.told.values() if s.name.endswith("_URL")]
    found = [_url(setting.name, setting.secret, setting.value.partition(":")[0]) for setting in urls]
    if program.broker is not None:
        found.append(_text("KAFKA_BOOTSTRAP_SERVERS"))
    if program.is_guarded:
        found += [_text(variable) for variable in IDENTITY]
    if program.is_service:
        found += [
            _number("port", "PORT", facts.SERVICE_PORT),
            _number("drain_seconds", "DRAIN_SECONDS", NOTICE_S),
            _number("finish_seconds", "FINISH_SECONDS", FINISH_S),
            _number("body_bytes_max", "BODY_BYTES_MAX", 1 << 20),
        ]
    if program.protocol is not None:
        found.append(_number("grpc_port", "GRPC_PORT", facts.GRPC_PORT))
    if program.database is not None:
        found.append(_number("database_pool_size", "DATABASE_POOL_SIZE", 5))
    found += [_optional("OTEL_EXPORTER_OTLP_ENDPOINT"), _level()]
    return tuple(found)


def _url(variable: str, secret: str, scheme: str) -> Setting:
    arguments = [literal(variable), *([f"file={literal(secret)}"] if secret else [])]
    attribute = name(variable.lower())
    read = wrapped("read.url(", arguments, ")", 13 + len(attribute))
    return Setting(attribute, variable, "str", read, secret, scheme=scheme)


def _text(variable: str) -> Setting:
    return Setting(name(variable.lower()), variable, "str", Code(f"read.text({literal(variable)})"))


def _optional(variable: str) -> Setting:
    read = Code(f"read.optional({literal(variable)})")
    return Setting(name(variable.lower()), variable, "str", read, is_needed=False)


def _level() -> Setting:
    read = Code('read.choice("LOG_LEVEL", "info", LEVELS)')
    return Setting(Code("log_level"), "LOG_LEVEL", "str", read, is_needed=False)


def _number(attribute: str, variable: str, default: int) -> Setting:
    read = Code(f"read.number({literal(variable)}, {default})")
    return Setting(name(attribute), variable, "int", read, is_needed=False)


def settings_module(program: Program) -> str:
    """_gen/settings.py."""
    settings = settings_of(program)
    imports = Imports()
    imports.names("collections.abc", "Mapping")
    imports.names("dataclasses", "dataclass", *(["field"] if any(s.secret for s in settings) else []))
    imports.names("typing", "Self")
    imports.names(".runtime.settings", "LEVELS", "Reader")
    return render("settings.py.j2", head=HEAD, imports=imports, settings=settings)


def resources_module(program: Program) -> str:
    """_gen/resources.py."""
    imports = Imports()
    imports.names("collections.abc", "Sequence")
    imports.names(".runtime.lifecycle", "Lifecycle", "Resource", "Task")
    imports.names(".settings", "Settings")
    imports.names(".runtime.traces", "Exporter")
    exporter = Code(f"Exporter(settings.otel_exporter_otlp_endpoint, {literal(program.element.name)})")
    resources: list[tuple[Code, Code]] = [(Code("traces"), exporter)]
    resources += [_store(store, imports) for store in program.stores if store.class_name]
    if program.broker is not None:
        imports.names(".runtime.kafka", "KafkaProducer")
        resources.append((Code("broker"), Code("KafkaProducer(settings.kafka_bootstrap_servers)")))
    for callee in program.callees:
        imports.names(".", "clients")
        value = f"clients.{callee.class_name}(settings.{name(callee.setting.name.lower())})"
        resources.append((name(callee.attribute), Code(value)))
    topics = []
    for topic in program.topics:
        imports.names(".", "topics")
        argument = "" if topic.is_outbox else "self.broker"
        topics.append((name(topic.attribute), Code(f"topics.{topic.class_name}({argument})")))
    database = name(program.database.attribute) if program.database is not None else None
    has_relay = any(topic.is_outbox for topic in program.topics)
    if has_relay:
        imports.names(".runtime.outbox", "Relay")
    tables = _tables(program, imports)
    return render(
        "resources.py.j2",
        head=HEAD,
        imports=imports,
        resources=[{"attribute": attribute, "value": value} for attribute, value in (*resources, *topics)],
        opened=[attribute for attribute, _ in resources],
        relay=has_relay,
        relay_task=Code("self.traces.run, relay.run, " if has_relay else "self.traces.run, "),
        database=database,
        prepare=Code("self._create_tables" if tables else ""),
        tables=Code(", ".join(tables)) if tables else None,
    )


def _store(store: StoreView, imports: Imports) -> tuple[Code, Code]:
    imports.names(f".runtime.{STORE_MODULES[store.class_name]}", store.class_name)
    arguments = [literal(store.element.name), f"settings.{name(store.setting.name.lower())}"]
    arguments += ["settings.database_pool_size"] if store.class_name == "Database" else []
    attribute = name(store.attribute)
    return attribute, wrapped(f"{store.class_name}(", arguments, ")", 16 + len(attribute))


def uses_keys(program: Program) -> bool:
    """Whether an operation keeps answers to Idempotency-Keys."""
    return any(operation.takes_key for operation in program.operations)


def has_tables(program: Program) -> bool:
    """Whether the program owns an SQL database, and so has tables of its own."""
    return program.database is not None and program.database.is_owned


def _tables(program: Program, imports: Imports) -> list[str]:
    """The tables that are made at the start: the program's own, and those of what it runs on."""
    if program.database is None:
        return []
    found = []
    if has_tables(program):
        imports.names("..handlers", "tables")
        found.append("tables.METADATA")
    if any(topic.is_outbox for topic in program.topics):
        imports.names(".runtime", "outbox")
        found.append("outbox.METADATA")
    if uses_keys(program):
        imports.names(".runtime", "database_keys")
        found.append("database_keys.METADATA")
    if program.consumes:
        imports.names(".runtime", "inbox")
        found.append("inbox.METADATA")
    return found


def main_module(program: Program) -> str:
    """_gen/main.py of a service."""
    imports = Imports()
    imports.module("sys")
    imports.names("fastapi", "FastAPI")
    imports.names(".resources", "Resources")
    imports.names(".runtime", "logs")
    imports.names(".runtime.app", "application")
    imports.names(".runtime.lifecycle", "Lifecycle")
    imports.names(".runtime.server", "serve")
    imports.names(".runtime.settings", "MissingSettingsError")
    imports.names(".settings", "Settings")
    handlers, before, more, tasks = _parts(program, imports)
    arguments = [f"[{', '.join(more)}]"] if more or tasks else []
    arguments += ["tasks"] if tasks else []
    before += [Code(f"tasks = {tasks}")] if tasks else []
    if program.operations:
        imports.names("importlib", "resources")
    if program.is_guarded:
        imports.names(".runtime.identity", "TokenVerifier")
    keys = None
    if uses_keys(program) and program.database is not None:
        imports.names(".runtime.database_keys", "DatabaseKeys")
        keys = Code(f"DatabaseKeys(all_resources.{name(program.database.attribute)})")
    return render(
        "main.py.j2",
        head=HEAD,
        imports=imports,
        title=name(program.title),
        title_literal=literal(program.element.name),
        contract=bool(program.operations),
        contract_argument=Code("CONTRACT" if program.operations else '"{}"'),
        personal=_personal(program),
        handlers=handlers,
        guarded=program.is_guarded,
        before=before,
        lifecycle=Code(", ".join(arguments)),
        keys=keys,
        operations=bool(program.operations),
    )


def _parts(program: Program, imports: Imports) -> tuple[list[dict[str, Code]], list[Code], list[str], str]:
    """The handlers that may be given, the lines before the application, what is opened and run besides."""
    handlers: list[dict[str, Code]] = []
    before: list[Code] = []
    more: list[str] = []
    title = program.title
    if program.operations:
        imports.names(".api", f"{title}ApiBase", "router")
        imports.names("..handlers.api", f"{title}Api")
        handlers.append({"attribute": Code("api"), "base": Code(f"{title}ApiBase")})
    if program.protocol is not None:
        imports.names(".rpc", f"{title}RpcBase", "rpcs")
        imports.names(".", "proto")
        imports.names("..handlers.rpc", f"{title}Rpc")
        imports.names(".runtime.grpc_server", "GrpcServer")
        handlers.append({"attribute": Code("rpc"), "base": Code(f"{title}RpcBase")})
        schema = f"proto.{constant(program.protocol)}"
        arguments = [f"{schema}_SERVICE", schema, f"rpcs(rpc or {title}Rpc(all_resources))"]
        arguments += ['f"[::]:{settings.grpc_port}"', *(["verifier"] if program.is_guarded else [])]
        before.append(wrapped("grpc_server = GrpcServer(", arguments, ")", 4))
        more.append("grpc_server")
    tasks = ""
    if program.is_guarded:
        more.append("verifier")
    if program.consumes:
        imports.names(".events", f"{title}EventsBase", "subscriptions")
        imports.names("..handlers.events", f"{title}Events")
        imports.names(".runtime.consumer", "consumers")
        handlers.append({"attribute": Code("events"), "base": Code(f"{title}EventsBase")})
        before.append(Code(f"read = subscriptions(events or {title}Events(all_resources))"))
        tasks = "consumers(settings.kafka_bootstrap_servers, read, all_resources.broker)"
    return handlers, before, more, tasks


def worker_main_module(program: Program) -> str:
    """_gen/main.py of a worker or a job."""
    imports = Imports()
    imports.module("sys")
    imports.names(".resources", "Resources")
    imports.names(".runtime", "logs")
    imports.names(".runtime.settings", "MissingSettingsError")
    imports.names(".settings", "Settings")
    title = name(program.title)
    if program.is_job:
        imports.names("..handlers.job", f"{title}Job")
        imports.names(".runtime.worker", "run_once")
        where = literal(f"{program.element.span.file}:{program.element.span.line}")
        body = [Code(f"return run_once(resources.lifecycle(), {title}Job(resources).run, {where})")]
    elif program.consumes:
        imports.names(".events", "subscriptions")
        imports.names("..handlers.events", f"{title}Events")
        imports.names(".runtime.consumer", "consumers")
        imports.names(".runtime.worker", "work")
        body = [
            Code(f"read = subscriptions({title}Events(resources))"),
            Code("tasks = consumers(settings.kafka_bootstrap_servers, read, resources.broker)"),
            Code("work(resources.lifecycle(tasks=tasks))"),
            Code("return 0"),
        ]
    else:
        imports.names("..handlers.work", f"{title}Work")
        imports.names(".runtime.worker", "work")
        body = [Code(f"work(resources.lifecycle(tasks=[{title}Work(resources).run]))"), Code("return 0")]
    return render(
        "main_worker.py.j2",
        head=HEAD,
        imports=imports,
        title_literal=literal(program.element.name),
        personal=_personal(program),
        runs=Code("once" if program.is_job else "until the process is told to end"),
        body=body,
    )


def _personal(program: Program) -> Code:
    fields = [literal(field) for field in program.personal]
    return wrapped("frozenset([", fields, "])") if fields else Code("frozenset[str]()")
