"""The language's types as Pydantic's, and the base of all models: exact, closed, unchangeable."""

import datetime
import decimal
import re
import uuid
from typing import Annotated, Any, TypeVar
from urllib.parse import quote

import pydantic

T = TypeVar("T")
LIST_MAX = 1_000
TEXT_MAX = 10_000
_DECIMAL = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")


class Model(pydantic.BaseModel):
    """A type of the architecture. Made with Python's names, read and written with the contract's."""

    model_config = pydantic.ConfigDict(
        strict=True, extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True, protected_namespaces=()
    )


def _decimal(value: Any) -> Any:
    """Decimals are written as strings, since a JSON number loses digits in most readers."""
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return decimal.Decimal(value)
    if isinstance(value, decimal.Decimal):
        return value
    raise ValueError('a decimal is a string such as "12.50"')


Uuid = uuid.UUID
Text = Annotated[str, pydantic.Field(max_length=TEXT_MAX)]
Int = Annotated[int, pydantic.Field(ge=-(2**63), le=2**63 - 1)]
Decimal = Annotated[
    decimal.Decimal,
    pydantic.BeforeValidator(_decimal),
    pydantic.PlainSerializer(lambda value: format(value, "f"), return_type=str, when_used="json"),
]
Timestamp = pydantic.AwareDatetime
Date = datetime.date
Duration = datetime.timedelta
Email = Annotated[str, pydantic.Field(max_length=320, pattern=r"^[^@\s]{1,64}@[^@\s]{1,255}$")]
Url = pydantic.AnyUrl
Bytes = Annotated[pydantic.Base64Bytes, pydantic.Field(max_length=TEXT_MAX)]
Json = pydantic.JsonValue
Many = Annotated[list[T], pydantic.Field(max_length=LIST_MAX)]


class Rest(str):
    """The end of a path: what is between its slashes are segments."""

    __slots__ = ()


def path(template: str, *values: object) -> str:
    """A path whose `{}` are filled with values, each one segment whatever is in it."""
    parts = template.split("{}")
    filled = [quote(str(value), safe="/" if isinstance(value, Rest) else "") for value in values]
    if any(segment in ("", ".", "..") for value in filled for segment in value.split("/")):
        raise ValueError("a part of a path is empty or leads elsewhere")
    return "".join(part + value for part, value in zip(parts, [*filled, ""], strict=True))
