"""Putting resolved data into the model's classes.

pydantic's validators are not used for it: the schema has checked every value already, and building them takes
longer than compiling a small system altogether. A test validates what comes out.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar, get_args, get_type_hints

from archc.compiler.records import Record

R = TypeVar("R", bound=Record)


def construct(cls: type[R], data: Mapping[str, Any]) -> R:
    """A record of a class from plain data: nested mappings become records, lists tuples of them."""
    fields: dict[str, Any] = {}
    classes = _record_classes(cls)
    for name, value in data.items():
        part = classes.get(name)
        if isinstance(value, list):
            fields[name] = tuple(value if part is None else [construct(part, item) for item in value])
        else:
            fields[name] = construct(part, value) if part is not None and isinstance(value, dict) else value
    return cls.model_construct(**fields)


@cache
def _record_classes(cls: type[Record]) -> Mapping[str, type[Record]]:
    """The fields that hold records, one or many, and of which class."""
    found: dict[str, type[Record]] = {}
    for name, annotation in get_type_hints(cls).items():
        part = _record_class(annotation)
        if part is not None:
            found[name] = part
    return found


def _record_class(annotation: Any) -> type[Record] | None:
    if isinstance(annotation, type) and issubclass(annotation, Record):
        return annotation
    parts = (_record_class(argument) for argument in get_args(annotation))
    return next((part for part in parts if part is not None), None)
