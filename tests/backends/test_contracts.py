"""Contracts: OpenAPI and protocol buffers say what the system says, whatever things are called."""

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from openapi_spec_validator import validate

from archc.backends import contracts
from archc.backends.backend import Plan
from archc.compiler.pipeline import compile_source
from tests.backends.building import CASES, Case, plan, plan_of

AWKWARD = Path(__file__).parent / "services" / "awkward.arch"


def of_text(text: str) -> Plan:
    compiled = compile_source({"a.arch": text})
    assert compiled.system is not None, compiled.diagnostics
    return plan_of(compiled)


def documents(given: Plan) -> dict[str, dict[str, Any]]:
    """The OpenAPI documents by service."""
    return {
        Path(path).stem: yaml.safe_load(output.content)
        for path, output in contracts.BACKEND.render(given).items()
        if "/openapi/" in path
    }


PLANS = [
    *(pytest.param(partial(plan, case), id=str(case)) for case in CASES),
    pytest.param(lambda: of_text(AWKWARD.read_text(encoding="utf-8")), id="awkward"),
]
every_plan = pytest.mark.parametrize("given", PLANS)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


@every_plan
def test_documents_are_valid(given: Any) -> None:
    for document in documents(given()).values():
        validate(document)
        names = [operation["operationId"] for _, _, operation in operations(document)]
        assert len(names) == len(set(names))
        shapes = [re.sub(r"\{[^}]*\}", "{}", path) for path in document["paths"]]
        assert len(shapes) == len(set(shapes))
        for _, path, operation in operations(document):
            declared = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
            assert declared == set(re.findall(r"\{([^}]*)\}", path))


@every_plan
def test_examples_fit_their_schemas(given: Any) -> None:
    for document in documents(given()).values():
        for schema, example in _examples(document):
            root = {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "components": document["components"],
            }
            jsonschema.Draft202012Validator({**root, **schema}).validate(example)


def _examples(node: Any) -> Iterator[tuple[dict[str, Any], Any]]:
    if isinstance(node, dict):
        if "schema" in node and "example" in node:
            yield node["schema"], node["example"]
        if "properties" in node:
            for example in node.get("examples", []):
                yield {key: value for key, value in node.items() if key != "examples"}, example
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _examples(inner)


def test_the_shop_says_who_may_do_what() -> None:
    found = documents(plan(Case("shop", "local")))
    orders = {f"{m.upper()} {p}": o for m, p, o in operations(found["orders"])}
    assert orders["POST /orders"]["security"] == [{"token": ["orders.write"]}]
    assert orders["GET /orders/{id}"]["security"] == [{"token": ["orders.read"]}]
    assert "Idempotency-Key" in json.dumps(orders["POST /orders"]["parameters"])
    assert set(orders["POST /orders"]["responses"]) == {"201", "400", "401", "403", "409", "422", "default"}
    assert found["orders"]["components"]["schemas"]["Order"]["properties"]["customer"]["x-pii"] is True
    assert found["orders"]["info"]["contact"] == {"name": "ordering-team", "email": "ordering@shop.example"}
    catalogue = {p: o for _, p, o in operations(found["products"])}
    assert {} in catalogue["/catalogue"]["security"]  # anonymous at the gateway
    assert {p["name"] for p in catalogue["/catalogue"]["parameters"]} == {"limit", "cursor"}
    assert catalogue["/catalogue/{id}"]["parameters"][0]["schema"]["format"] == "uuid"


FIELD = """
system s {{ domain a {{
  type T {{ f {} }}
  type U {{ a int }}
  service x {{ rest v1 {{ GET /x -> T }} }}
}} }}
"""


@pytest.mark.parametrize(
    ("written", "schema"),
    [
        ("uuid", {"type": "string", "format": "uuid"}),
        ("string(200)", {"type": "string", "maxLength": 200}),
        ("string(2..5)", {"type": "string", "minLength": 2, "maxLength": 5}),
        ("int(1..99)", {"type": "integer", "format": "int64", "minimum": 1, "maximum": 99}),
        ("bool?", {"type": ["boolean", "null"]}),
        ("bytes(3..4)", {"type": "string", "contentEncoding": "base64", "minLength": 4, "maxLength": 8}),
        ("[bool]", {"type": "array", "items": {"type": "boolean"}, "maxItems": 1000}),
        ("U", {"$ref": "#/components/schemas/U"}),
        ("U?", {"anyOf": [{"$ref": "#/components/schemas/U"}, {"type": "null"}]}),
        ("[U]?", {"type": ["array", "null"], "items": {"$ref": "#/components/schemas/U"}, "maxItems": 1000}),
    ],
)
def test_types_become_schemas(written: str, schema: dict[str, Any]) -> None:
    found = documents(of_text(FIELD.format(written)))["x"]["components"]["schemas"]["T"]
    assert found["properties"]["f"] == schema
    assert ("f" in found.get("required", [])) is not written.endswith("?")


def test_types_of_the_same_name_are_told_apart() -> None:
    text = """
    system s {
      domain a { type Thing { a int }; type Other { b int } }
      domain b {
        type Thing { c a.Thing; d a.Other }
        type Problem { e int }
        service x { rest v1 { GET /x -> Thing; GET /p -> Problem } }
      }
    }
    """
    schemas = documents(of_text(text))["x"]["components"]["schemas"]
    assert set(schemas) == {"AThing", "Other", "Problem", "Problem_2", "Thing"}
    assert schemas["Thing"]["properties"]["c"] == {"$ref": "#/components/schemas/AThing"}


def test_one_path_written_twice_is_one_path() -> None:
    text = """
    system s { domain a { service x { rest v1 {
      GET /x/{id} -> string
      PUT /x/{other} string -> string
      GET /x/{again} -> int
      DELETE /x/{a}/y/{a}
    } } } }
    """
    paths = documents(of_text(text))["x"]["paths"]
    assert {path: set(methods) for path, methods in paths.items()} == {
        "/x/{id}": {"get", "put"},
        "/x/{a}/y/{a_2}": {"delete"},
    }


ENDING = """
system s { domain a {
  service x {
    rest v1 { GET /old sunset=2027-06-30; GET /x }
    rpc { Old sunset=2027-06-30; New }
  }
  service y { sunset 2027-03-31; rest v1 { GET /y sunset=2027-06-30; GET /z } }
  service w { maturity deprecated; rest v1 { GET /w } }
} }
"""


def test_what_ends_is_deprecated() -> None:
    found = documents(of_text(ENDING))
    said = {
        path: (operation.get("deprecated", False), operation.get("x-sunset", ""))
        for document in found.values()
        for _, path, operation in operations(document)
    }
    assert said == {
        "/old": (True, "2027-06-30"),
        "/x": (False, ""),
        "/y": (True, "2027-03-31"),
        "/z": (True, "2027-03-31"),
        "/w": (True, ""),
    }
    for document in found.values():
        validate(document)


# ---- protocol buffers


def test_rpcs_that_end_are_deprecated() -> None:
    (text,) = protos(of_text(ENDING)).values()
    assert "rpc Old(OldRequest) returns (OldResponse) { option deprecated = true; }" in text
    assert "rpc New(NewRequest) returns (NewResponse);" in text


def protos(given: Plan) -> dict[str, str]:
    return {p: o.content for p, o in contracts.BACKEND.render(given).items() if p.endswith(".proto")}


def test_the_shops_operations_are_in_packages_of_their_own() -> None:
    found = protos(plan(Case("shop", "local")))
    assert sorted(found) == [
        "contracts/proto/catalogue/products/v1/products.proto",
        "contracts/proto/ordering/stock/v1/stock.proto",
    ]
    stock = found["contracts/proto/ordering/stock/v1/stock.proto"]
    assert "package ordering.stock.v1;" in stock
    assert "rpc Reserve(ReserveRequest) returns (ReserveResponse);" in stock
    assert 'import "google/protobuf/timestamp.proto";' in stock
    assert "message ReserveRequest {\n  string product = 1;\n  int64 quantity = 2;\n}" in stock


@every_plan
def test_numbers_and_names_are_unique(given: Any) -> None:
    for text in protos(given()).values():
        for body in re.findall(r"(?s)(?:message|enum) \w+ \{(.*?)\}", text):
            numbers = re.findall(r"= (\d+)", body)
            names = re.findall(r"(\w+) = \d+", body)
            assert len(set(numbers)) == len(numbers)
            assert len(set(names)) == len(names)
        kinds = re.findall(r"(?m)^(?:message|enum|service) (\w+)", text)
        assert len(set(kinds)) == len(kinds)


@pytest.mark.parametrize("name", ["shop", "quickstart"])
def test_contracts_are_the_same_in_every_environment(name: str) -> None:
    local, production = (contracts.BACKEND.render(plan(Case(name, e))) for e in ("local", "production"))
    assert local == production
