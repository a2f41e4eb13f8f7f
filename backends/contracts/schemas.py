"""Types of the language as JSON Schema (2020-12), the dialect of OpenAPI 3.1, each with an example."""

from collections.abc import Mapping
from typing import Any

from archc.backends.contracts.shapes import Shapes
from archc.compiler import model

# What a list may hold where the type says nothing: an answer of thousands belongs into pages.
LIST_MAX = 1_000
TEXT_MAX = 10_000
INT_MIN, INT_MAX = -(2**63), 2**63 - 1
DECIMAL_PATTERN = r"^-?[0-9]{1,18}(\.[0-9]{1,18})?$"
DURATION_PATTERN = r"^-?P[0-9A-Z.]{1,60}$"
EMAIL_PATTERN = r"^[^@\s]{1,64}@[^@\s]{1,255}$"
# How many types deep an example goes: each field of each level is written out.
_DEPTH_MAX = 3

_SCALARS: dict[str, tuple[dict[str, Any], Any]] = {
    "uuid": ({"type": "string", "format": "uuid"}, "6f1d5a52-0f5c-4b7e-9a3d-2c8e1f0b7d64"),
    "string": ({"type": "string"}, "text"),
    "int": ({"type": "integer", "format": "int64"}, 1),
    "decimal": ({"type": "string", "format": "decimal", "pattern": DECIMAL_PATTERN}, "12.50"),
    "bool": ({"type": "boolean"}, True),
    "timestamp": ({"type": "string", "format": "date-time"}, "2026-01-31T12:00:00Z"),
    "date": ({"type": "string", "format": "date"}, "2026-01-31"),
    "duration": ({"type": "string", "format": "duration", "pattern": DURATION_PATTERN}, "PT15M"),
    "email": (
        {"type": "string", "format": "email", "pattern": EMAIL_PATTERN, "maxLength": 320},
        "someone@example.com",
    ),
    "url": ({"type": "string", "format": "uri", "maxLength": 2_083}, "https://example.com/"),
    "bytes": ({"type": "string", "contentEncoding": "base64"}, "YXJjaGM="),
    "json": ({"description": "Any JSON value."}, {"any": "value"}),
}


def text_limits(data_type: model.DataType) -> tuple[int, int]:
    """The least and the greatest length of a string or of bytes."""
    return max(data_type.minimum or 0, 0), TEXT_MAX if data_type.maximum is None else max(
        data_type.maximum, 0
    )


def int_limits(data_type: model.DataType) -> tuple[int, int]:
    """The least and the greatest value of an int; 64 bits where it says nothing."""
    low = INT_MIN if data_type.minimum is None else data_type.minimum
    return low, INT_MAX if data_type.maximum is None else data_type.maximum


def schema(data_type: model.DataType, names: Mapping[str, str]) -> dict[str, Any]:
    """The schema of a type; declared ones are references to the document's components by name."""
    if data_type.item is not None:
        found = {"type": "array", "items": schema(data_type.item, names), "maxItems": LIST_MAX}
    elif not data_type.is_scalar:
        found = {"$ref": f"#/components/schemas/{names[data_type.name]}"}
    else:
        found = dict(_SCALARS[data_type.name][0]) | _limits(data_type)
    if not data_type.optional or data_type.name == "json":
        return found
    if isinstance(found.get("type"), str):
        return found | {"type": [found["type"], "null"]}
    return {"anyOf": [found, {"type": "null"}]}


def _limits(data_type: model.DataType) -> dict[str, Any]:
    if data_type.name in ("string", "bytes"):
        low, high = text_limits(data_type)
        if data_type.name == "bytes":  # the limits count bytes, the schema counts base64's characters
            low, high = -(-low // 3) * 4, -(-high // 3) * 4
        return ({"minLength": low} if low else {}) | {"maxLength": high}
    if data_type.name == "int":
        low, high = int_limits(data_type)
        return {"minimum": low, "maximum": high}
    return {}


def components(shapes: Shapes) -> dict[str, Any]:
    """The schemas of all shapes by name: objects, and enums as strings."""
    return {name: _component(shape, shapes) for name, shape in shapes}


def _component(shape: model.Element, shapes: Shapes) -> dict[str, Any]:
    text = shape.doc or shape.title
    about = {"title": shapes.names[shape.id]} | ({"description": text} if text else {})
    if isinstance(shape, model.Enum):
        members = list(dict.fromkeys(member.name for member in shape.members))
        return about | {"type": "string", "enum": members}
    assert isinstance(shape, model.Type | model.Event)
    properties = {field.name: _property(field, shapes) for field in shape.fields_}
    required = [field.name for field in shape.fields_ if not field.type.optional]
    found: dict[str, Any] = about | {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }
    if required:
        found["required"] = required
    return found | {"examples": [example_of(shape, shapes)]}


def _property(field: model.Field, shapes: Shapes) -> dict[str, Any]:
    """A field's schema; personal data and keys are marked."""
    found = schema(field.type, shapes.names)
    if field.pii:
        found["x-pii"] = True
    if field.key:
        found["x-key"] = True
    return found


def example_value(data_type: model.DataType, shapes: Shapes, depth: int = 0) -> Any:
    """A value of a type, inside `depth` other types. Lists deep inside are empty, so that loops end."""
    if data_type.optional and depth > 1:
        return None
    if data_type.item is not None:
        return [example_value(data_type.item, shapes, depth)] if depth < _DEPTH_MAX else []
    if data_type.is_scalar:
        return _scalar_example(data_type)
    return example_of(shapes.shapes[data_type.name], shapes, depth)


def example_of(shape: model.Element, shapes: Shapes, depth: int = 0) -> Any:
    """A value of a declared type; fields that may be missing are missing below the first level."""
    if isinstance(shape, model.Enum):
        return next((member.name for member in shape.members), "")
    assert isinstance(shape, model.Type | model.Event)
    if depth > _DEPTH_MAX:  # only a type that holds itself without an end comes here
        return {}
    fields = [field for field in shape.fields_ if not (field.type.optional and depth)]
    return {field.name: example_value(field.type, shapes, depth + 1) for field in fields}


def _scalar_example(data_type: model.DataType) -> Any:
    value = _SCALARS[data_type.name][1]
    if data_type.name == "int":
        low, high = int_limits(data_type)
        return min(max(value, low), high)
    if data_type.name == "string":
        low, high = text_limits(data_type)
        return (value * (low // len(value) + 1))[: max(low, min(high, len(value)))]
    return value
