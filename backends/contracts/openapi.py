"""OpenAPI 3.1: what a service offers over HTTP, as one document a service."""

from typing import Any

from archc.backends import facts, settings
from archc.backends.contracts.operations import (
    CURSOR_LENGTH_MAX,
    PAGE_LIMIT,
    PAGE_LIMIT_MAX,
    Operation,
    http_operations,
)
from archc.backends.contracts.schemas import components, example_value, schema
from archc.backends.contracts.shapes import Shapes, http_roots, shapes
from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.questions import is_deprecated, last_day

# Schemas of the document that no type of the file may be called.
RESERVED = ("Problem",)
PROBLEM_TYPE = "application/problem+json"
SECURITY = "token"
# Nobody needs a token; one that comes along is passed on to the services that are called.
_OPTIONAL: list[dict[str, list[str]]] = [{}, {SECURITY: []}]

_PROBLEMS = {
    "400": ("BadRequest", "The request is not well formed."),
    "401": ("Unauthorized", "There is no token, or it is not valid."),
    "403": ("Forbidden", "The token lacks the scope."),
    "404": ("NotFound", "There is no such thing."),
    "409": ("Conflict", "A request with the same Idempotency-Key is still being worked on."),
    "422": ("UnprocessableContent", "The request does not match the contract."),
    "default": ("Fault", "Something else went wrong."),
}


def contract(system: model.System, graph: Graph, service: model.Code) -> dict[str, Any]:
    """The document of a service, as plain data."""
    operations = http_operations(system, service)
    reached = shapes(system, service.domain, http_roots(service), RESERVED)
    identity = settings.identity_for(system, graph, service)
    is_guarded = identity is not None or any(operation.record.scope for operation in operations)
    is_open = is_public(system, graph, service)
    paths: dict[str, Any] = {}
    for operation in operations:
        methods = paths.setdefault(operation.path, {})
        needs_token = is_guarded and not _is_anonymous(operation, is_open)
        methods[operation.method.lower()] = _operation(service, operation, reached, needs_token)
        if not needs_token:
            methods[operation.method.lower()]["security"] = _OPTIONAL
    schemas = components(reached) | {"Problem": _problem_schema()}
    schemas |= {
        name: page
        for operation in operations
        if operation.page
        for name, page in (_page(operation, reached),)
    }
    found: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": _info(system, service),
        "servers": [{"url": f"http://{facts.address(service)}", "description": "Inside the system."}],
        "tags": [{"name": service.name, "description": _text(service)}],
    }
    # Said either way: an empty list means that nobody asks for a token.
    found["security"] = [{SECURITY: []}]
    found["paths"] = paths
    found["components"] = {"schemas": dict(sorted(schemas.items())), "responses": _responses(paths)}
    found["components"]["securitySchemes"] = {SECURITY: _security(identity)}
    return found


def is_public(system: model.System, graph: Graph, service: model.Code) -> bool:
    """Whether every route to a service lets requests without a token through."""
    routes = [edge.record for edge in graph.edges_to(service.id, ("route",))]
    return bool(routes) and all(route.anonymous is not None and not route.scope for route in routes)


def _is_anonymous(operation: Operation, is_open: bool) -> bool:
    return not operation.record.scope and (is_open or operation.record.anonymous is not None)


def page_name(operation: Operation, names: dict[str, str]) -> str:
    """The name of the schema with one page of a paged operation's list."""
    assert operation.result is not None and operation.result.item is not None
    item = operation.result.item
    return f"{names.get(item.name) or item.name.capitalize()}{operation.page.capitalize()}Page"


def _text(element: model.Element) -> str:
    return element.doc or element.title or f"The {element.kind} {element.name}."


def _info(system: model.System, service: model.Code) -> dict[str, Any]:
    versions = [rest.version for rest in service.rest if rest.version]
    contact = {"name": system.title or system.name}
    domain = system.elements.get(service.domain)
    team = system.elements.get(domain.owner) if isinstance(domain, model.Domain) else None
    if isinstance(team, model.Team):
        contact = {"name": team.name} | (
            {"email": team.email or team.title} if team.email or team.title else {}
        )
    return {
        "title": service.title or service.name,
        "summary": f"{service.name} of {system.title or system.name}",
        "description": _text(service),
        "version": versions[-1] if versions else "v1",
        "contact": contact,
        "license": {"name": "Proprietary", "identifier": "LicenseRef-Proprietary"},
    }


def _security(identity: model.Identity | None) -> dict[str, Any]:
    """Tokens of the gateway's identity provider. Its address differs by environment unless it is declared."""
    if identity is not None and identity.issuer:
        url = f"{identity.issuer.rstrip('/')}/.well-known/openid-configuration"
        return {"type": "openIdConnect", "openIdConnectUrl": url}
    return {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A token of the system's identity provider.",
    }


def _operation(
    service: model.Code, operation: Operation, reached: Shapes, needs_token: bool
) -> dict[str, Any]:
    record = operation.record
    found: dict[str, Any] = {
        "operationId": operation.name,
        "summary": record.name,
        "description": record.doc or _describe(operation, reached),
        "tags": [service.name],
    }
    if is_deprecated(service, record):
        found["deprecated"] = True
        day = last_day(service, record)
        found |= {"x-sunset": day} if day else {}
    if record.scope:
        found["security"] = [{SECURITY: [record.scope]}]
    parameters = _parameters(operation, reached)
    if parameters:
        found["parameters"] = parameters
    if operation.body is not None:
        media = {
            "schema": schema(operation.body, reached.names),
            "example": example_value(operation.body, reached),
        }
        content = {"application/json": media}
        found["requestBody"] = {"required": not operation.body.optional, "content": content}
    found["responses"] = {str(operation.status): _answer(operation, reached)}
    for status in _faults(operation, needs_token):
        found["responses"][status] = {"$ref": f"#/components/responses/{_PROBLEMS[status][0]}"}
    return found


def _describe(operation: Operation, reached: Shapes) -> str:
    record = operation.record
    said = []
    if operation.body is not None:
        said.append(f"Takes {_called(operation.body, reached)}.")
    said.append(f"Gives {_called(operation.result, reached)}." if operation.result else "Gives no content.")
    if record.scope:
        said.append(f"Needs the scope {record.scope}.")
    if operation.takes_key:
        said.append("Safe to repeat with the same Idempotency-Key.")
    return " ".join(said)


def _called(data_type: model.DataType, reached: Shapes) -> str:
    if data_type.item is not None:
        return f"a list of {_called(data_type.item, reached)}"
    return reached.names.get(data_type.name, data_type.name)


def _parameters(operation: Operation, reached: Shapes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {
            "name": parameter.name,
            "in": "path",
            "required": True,
            "description": f"Which one: the {parameter.name}.",
            "schema": schema(parameter.type, reached.names),
            "example": example_value(parameter.type, reached),
        }
        for parameter in operation.parameters
    ]
    if operation.page:
        limit = {"type": "integer", "minimum": 1, "maximum": PAGE_LIMIT_MAX, "default": PAGE_LIMIT}
        found.append(_query("limit", "How many at most.", limit))
        if operation.page == "cursor":
            cursor = {"type": "string", "maxLength": CURSOR_LENGTH_MAX}
            found.append(_query("cursor", "The `next` of the page before; the first page has none.", cursor))
        else:
            offset = {"type": "integer", "minimum": 0, "maximum": 2**31 - 1, "default": 0}
            found.append(_query("offset", "How many to leave out.", offset))
    if operation.takes_key:
        found.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "description": "A value of the caller's choice, the same for each repetition of one request.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255},
                "example": "a-value-of-my-own",
            }
        )
    return found


def _query(name: str, description: str, shape: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": shape}


def _answer(operation: Operation, reached: Shapes) -> dict[str, Any]:
    if operation.result is None:
        return {"description": "Done."}
    media = {
        "schema": schema(operation.result, reached.names),
        "example": example_value(operation.result, reached),
    }
    if operation.page:
        media["schema"] = {"$ref": f"#/components/schemas/{page_name(operation, reached.names)}"}
        media["example"] = {"items": media["example"], "next": None}
    said = _called(operation.result, reached)
    return {"description": f"{said[:1].upper()}{said[1:]}.", "content": {"application/json": media}}


def _page(operation: Operation, reached: Shapes) -> tuple[str, dict[str, Any]]:
    assert operation.result is not None and operation.result.item is not None
    name = page_name(operation, reached.names)
    if operation.page == "cursor":
        following = {"type": ["string", "null"], "maxLength": CURSOR_LENGTH_MAX}
    else:
        following = {"type": ["integer", "null"], "minimum": 0, "maximum": 2**31 - 1}
    items = {
        "type": "array",
        "items": schema(operation.result.item, reached.names),
        "maxItems": PAGE_LIMIT_MAX,
    }
    about = f"The {operation.page} of the next page; null on the last one."
    return name, {
        "title": name,
        "type": "object",
        "additionalProperties": False,
        "properties": {"items": items, "next": following | {"description": about}},
        "required": ["items", "next"],
    }


def _faults(operation: Operation, needs_token: bool) -> list[str]:
    found = ["400"]
    if needs_token:
        found += ["401", "403"]
    if operation.parameters:
        found.append("404")
    if operation.takes_key:
        found.append("409")
    if operation.parameters or operation.body is not None or operation.page:
        found.append("422")
    return [*found, "default"]


def _responses(paths: dict[str, Any]) -> dict[str, Any]:
    """The problem responses that the paths refer to."""
    used = {
        status
        for methods in paths.values()
        for operation in methods.values()
        for status, answer in operation["responses"].items()
        if "$ref" in answer
    }
    content = {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        name: {"description": text, "content": content}
        for status, (name, text) in _PROBLEMS.items()
        if status in used
    }


def _problem_schema() -> dict[str, Any]:
    """RFC 9457, with the place in the architecture for an operation that is not written yet."""
    text = {"type": "string", "maxLength": 2_000}
    return {
        "title": "Problem",
        "description": "A fault, as RFC 9457 says it.",
        "type": "object",
        "properties": {
            "type": text | {"description": "Which kind of problem.", "default": "about:blank"},
            "title": text | {"description": "The kind of problem in words."},
            "status": {"type": "integer", "minimum": 400, "maximum": 599, "format": "int32"},
            "detail": text | {"description": "What went wrong this time."},
            "instance": text | {"description": "Where it went wrong: the request's path."},
            "request-id": text | {"description": "What logs call the request."},
            "place": text | {"description": "Where the operation is declared, if it is not written yet."},
            "errors": {
                "type": "array",
                "maxItems": 100,
                "description": "What does not match the contract.",
                "items": {
                    "type": "object",
                    "properties": {"pointer": text, "detail": text},
                    "required": ["pointer", "detail"],
                },
            },
        },
        "required": ["title", "status"],
        "examples": [{"type": "about:blank", "title": "Not Found", "status": 404}],
    }
