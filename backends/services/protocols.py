"""The modules of gRPC: the messages as data, the base of the handlers, the handlers."""

from typing import Any

from archc.backends import naming
from archc.backends.contracts.proto import Protocol, ProtoField, ProtoRpc
from archc.backends.services.annotations import class_names, plain
from archc.backends.services.code import Code, Imports, doc, literal, name, render, wrapped
from archc.backends.services.models import HEAD
from archc.backends.services.program import Program, place


def protocols(program: Program) -> tuple[Protocol, ...]:
    """Its own protocol and those of what it calls."""
    own = [program.protocol] if program.protocol is not None else []
    return (*own, *(callee.protocol for callee in program.callees if callee.protocol is not None))


def constant(spoken: Protocol) -> Code:
    """The constant of a protocol's messages; packages differ, so these do."""
    return name(naming.upper(spoken.package.replace(".", "-")))


def proto_module(program: Program) -> str:
    """_gen/proto.py: the messages of all protocols it speaks."""
    spoken = protocols(program)
    has_fields = any(fields for one in spoken for fields in one.messages.values())
    return render("proto.py.j2", head=HEAD, schemas=[_schema(one) for one in spoken], has_fields=has_fields)


def _schema(spoken: Protocol) -> dict[str, Any]:
    return {
        "constant": constant(spoken),
        "service": literal(spoken.service),
        "package": literal(spoken.package),
        "messages": [
            {"name": literal(message), "fields": [_field(field) for field in fields]}
            for message, fields in spoken.messages.items()
        ],
        "enums": [
            {"name": literal(enum), "members": [literal(value) for value in values]}
            for enum, values in spoken.enums.items()
        ],
    }


def _field(field: ProtoField) -> Code:
    arguments = [literal(field.name), str(field.number), literal(field.type), literal(field.alias)]
    arguments += ["is_list=True"] if field.is_list else []
    arguments += ["is_optional=True"] if field.is_optional else []
    return wrapped("Field(", arguments, ")", 12)


def rpc_types(rpc: ProtoRpc, classes: dict[str, Code], imports: Imports) -> tuple[Code, Code]:
    """What an operation takes and gives, as annotations; "None" for nothing."""
    return plain(rpc.record.request, classes, imports), plain(rpc.record.result, classes, imports)


def rpc_module(program: Program, spoken: Protocol) -> str:
    """_gen/rpc.py: the base of the handlers, and how they are served."""
    imports = Imports()
    imports.module("pydantic")
    imports.names(".resources", "Resources")
    imports.names(".runtime.grpc_server", "Rpc")
    imports.names(".runtime.identity", "Caller")
    rpcs = [_view(program, rpc, imports, ".") for rpc in spoken.rpcs]
    return render("rpc.py.j2", head=HEAD, imports=imports, title=name(program.title), rpcs=rpcs)


def handlers_module(program: Program, spoken: Protocol) -> str:
    """handlers/rpc.py, written once."""
    imports = Imports()
    imports.names(".._gen.rpc", f"{program.title}RpcBase")
    imports.names(".._gen.runtime.identity", "Caller")
    rpcs = [_view(program, rpc, imports, ".._gen") for rpc in spoken.rpcs]
    element = doc(program.element.name)
    return render(
        "handlers_rpc.py.j2", imports=imports, element=element, title=name(program.title), rpcs=rpcs
    )


def _view(program: Program, rpc: ProtoRpc, imports: Imports, base: str) -> dict[str, Any]:
    taken, given = rpc_types(rpc, class_names(program.shapes), imports)
    method = naming.variable(rpc.record.name)
    parameters = ["self", *([] if taken == "None" else [f"request: {taken}"]), "caller: Caller"]
    if "models." in f"{taken}{given}":
        imports.names(base, "models")
    return {
        "signature": wrapped(f"async def {name(method)}(", parameters, f") -> {given}:", 4),
        "doc": doc(f"{rpc.record.name}."),
        "method": name(method),
        "name": literal(rpc.record.name),
        "place": literal(place(rpc.record.span)),
        "request": literal(rpc.request),
        "response": literal(rpc.response),
        "kind": taken,
        "work": work(method, taken),
        "scope": literal(rpc.record.scope) if rpc.record.scope else None,
    }


def work(method: str, taken: Code) -> Code:
    """What serves an operation: it is given the request, even where there is none."""
    if taken == "None":
        return Code(f"lambda _, caller: handlers.{name(method)}(caller)")
    return Code(f"handlers.{name(method)}")
