"""The modules of a service's HTTP operations: the base of the handlers with its routes, and the handlers."""

from collections.abc import Mapping
from typing import Any

from archc.backends.contracts.operations import Operation, PathParameter, specificity
from archc.backends.contracts.schemas import int_limits, text_limits
from archc.backends.services.annotations import adapted, class_names, plain
from archc.backends.services.code import Code, Imports, doc, literal, name, render, wrapped
from archc.backends.services.models import HEAD
from archc.backends.services.program import Program, place

PAGES = {"cursor": ("CursorPage", "CursorRequest", "cursor_request"),
          "offset": ("OffsetPage", "OffsetRequest", "offset_request")}  # fmt: skip


def api_module(program: Program) -> str:
    """_gen/api.py: the base of the handlers, and the routes."""
    imports = Imports()
    imports.names("fastapi", "APIRouter", "Depends")
    imports.names("fastapi.responses", "Response")
    imports.names("typing", "Annotated")
    imports.names(".resources", "Resources")
    imports.names(".runtime.identity", "Access", "Caller")
    imports.names(".runtime.operations", "Operation", "perform")
    views = {o.name: _api_view(program, o, imports) for o in program.operations}
    return render(
        "api.py.j2",
        head=HEAD,
        imports=imports,
        title=name(program.title),
        operations=list(views.values()),
        routes=[views[o.name] for o in sorted(program.operations, key=specificity)],
    )


def handlers_module(program: Program) -> str:
    """handlers/api.py, written once."""
    imports = Imports()
    imports.names(".._gen.api", f"{program.title}ApiBase")
    imports.names(".._gen.runtime.identity", "Caller")
    views = []
    for operation in program.operations:
        signature, _ = _signature(program, operation, imports, ".._gen")
        views.append({"signature": signature, "doc": _doc(operation)})
    return render(
        "handlers_api.py.j2",
        imports=imports,
        element=name_or_words(program),
        title=name(program.title),
        operations=views,
    )


def name_or_words(program: Program) -> Code:
    """The element's name, for the inside of a docstring."""
    return doc(program.element.name)


def _doc(operation: Operation) -> Code:
    return doc(f"{operation.record.name}.", "See the contract.")


def _api_view(program: Program, operation: Operation, imports: Imports) -> dict[str, Any]:
    signature, result = _signature(program, operation, imports, ".")
    view: dict[str, Any] = {
        "name": name(operation.name),
        "name_literal": literal(operation.name),
        "constant": name(operation.name.upper()),
        "summary": literal(operation.record.name),
        "place": literal(place(operation.record.span)),
        "status": operation.status,
        "timeout_s": seconds(operation.record.timeout_ms) if operation.record.timeout_ms else None,
        "signature": signature,
        "doc": _doc(operation),
        "result": result,
        "adapter": None,
        "method": name(operation.method.lower()),
        "route": literal(_route(operation)),
        "is_keyed": operation.takes_key,
        "endpoint": _endpoint(program, operation, imports),
        "call": _call(operation),
    }
    if operation.result is not None:
        imports.module("pydantic")
        view["adapter"] = adapter(class_names(program.shapes), operation, imports)
    return view


def adapter(classes: Mapping[str, Code], operation: Operation, imports: Imports) -> Code:
    """What a TypeAdapter of an operation's result is made from, in a module of _gen."""
    assert operation.result is not None
    kept = operation.result.item if operation.page else operation.result
    assert kept is not None
    found = adapted(kept, classes)
    if operation.page:
        page = PAGES[operation.page][0]
        imports.names(".runtime.pages", page)
        found = Code(f"{page}[{found}]")
    if "types." in found:
        imports.names(".runtime", "types")
    if "models." in found:
        imports.names(".", "models")
    return found


def _signature(program: Program, operation: Operation, imports: Imports, base: str) -> tuple[Code, Code]:
    """The handler's head and its result."""
    prefix = "" if base == "." else base
    classes = class_names(program.shapes)
    parameters = ["self"]
    parameters += [f"{p.variable}: {plain(p.type, classes, imports)}" for p in operation.parameters]
    if operation.body is not None:
        parameters.append(f"body: {plain(operation.body, classes, imports)}")
    if operation.page:
        request = PAGES[operation.page][1]
        imports.names(f"{prefix}.runtime.pages", request)
        parameters.append(f"page: {request}")
    parameters.append("caller: Caller")
    result = _result(operation, classes, imports, prefix)
    if any("models." in part for part in (*parameters, result)):
        imports.names(base, "models")
    return wrapped(f"async def {name(operation.name)}(", parameters, f") -> {result}:", 4), result


def _result(operation: Operation, classes: dict[str, Code], imports: Imports, prefix: str) -> Code:
    if operation.page and operation.result is not None:
        page = PAGES[operation.page][0]
        imports.names(f"{prefix}.runtime.pages", page)
        return Code(f"{page}[{plain(operation.result.item, classes, imports)}]")
    return plain(operation.result, classes, imports)


def _endpoint(program: Program, operation: Operation, imports: Imports) -> list[Code]:
    """The route's parameters: who calls comes first, so that strangers learn nothing of the rest."""
    classes = class_names(program.shapes)
    scope = literal(operation.record.scope) if operation.record.scope else ""
    found = [Code(f"caller: Annotated[Caller, Depends(Access({scope}))]")]
    if operation.body is not None:
        imports.names(".runtime.operations", "Body")
        kind, form = plain(operation.body, classes, imports), adapted(operation.body, classes)
        if "types." in form:
            imports.names(".runtime", "types")
        head = f"body: Annotated[{kind}, Depends(Body({form}))]"
        found.append(Code(head))
    if operation.page:
        _, request, dependency = PAGES[operation.page]
        imports.names(".runtime.pages", request)
        imports.names(".runtime.operations", dependency)
        found.append(Code(f"page: Annotated[{request}, Depends({dependency})]"))
    if operation.takes_key:
        imports.names(".runtime.idempotency", "Keyed")
        found.append(Code("keyed: Keyed"))
    return [*found, *(_path_parameter(p, imports) for p in operation.parameters)]


def _path_parameter(parameter: PathParameter, imports: Imports) -> Code:
    kind = plain(parameter.type, {}, imports)
    route_name = _route_name(parameter)
    options = [f"alias={literal(route_name)}"] if route_name != parameter.variable else []
    if parameter.type.name == "string":
        low, high = text_limits(parameter.type)
        options += [f"min_length={max(low, 1)}", f"max_length={high}"]
    elif parameter.type.name == "int":
        low, high = int_limits(parameter.type)
        options += [f"ge={low}", f"le={high}"]
    if not options:
        return Code(f"{parameter.variable}: {kind}")
    imports.names("fastapi", "Path")
    return Code(f"{parameter.variable}: Annotated[{kind}, Path({', '.join(options)})]")


def _call(operation: Operation) -> Code:
    arguments: list[str] = [p.variable for p in operation.parameters]
    arguments += ["body"] if operation.body is not None else []
    arguments += ["page"] if operation.page else []
    return wrapped(f"await api.{operation.name}(", [*arguments, "caller"], ")", 12 + len("return "))


def _route(operation: Operation) -> str:
    """The path as FastAPI has it; a parameter that takes slashes says so."""
    path = operation.path
    for parameter in operation.parameters:
        written = _route_name(parameter) + (":path" if parameter.is_rest else "")
        path = path.replace(f"{{{parameter.name}}}", f"{{{written}}}", 1)
    return path


def _route_name(parameter: PathParameter) -> str:
    """A path parameter's name in a route: FastAPI takes identifiers only."""
    return parameter.name if parameter.name.isidentifier() else parameter.variable


def seconds(milliseconds: int) -> Code:
    """Milliseconds as seconds."""
    return Code(f"{milliseconds / 1000:g}")
