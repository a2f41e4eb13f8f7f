"""Lists that come in pages."""

from dataclasses import dataclass
from typing import Generic, TypeVar

import pydantic

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CursorRequest:
    """Which page is wanted: at most `limit` entries after the cursor, from the start without one."""

    limit: int = 20
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class OffsetRequest:
    """Which page is wanted: at most `limit` entries after the first `offset`."""

    limit: int = 20
    offset: int = 0


class CursorPage(pydantic.BaseModel, Generic[T]):
    """A part of a list, and the cursor of the next part, None at the end."""

    items: list[T]
    next: str | None = None


class OffsetPage(pydantic.BaseModel, Generic[T]):
    """A part of a list, and the offset of the next part, None at the end."""

    items: list[T]
    next: int | None = None
