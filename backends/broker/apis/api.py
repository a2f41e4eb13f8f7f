"""What a handler is given and what it answers with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ..broker import Broker
    from ..net.connection import Connection


class Later:
    """The type of LATER."""


# A handler's answer when it has kept the request and will call its `respond`.
LATER: Final = Later()

Answer = Mapping[str, object] | Later
Handler = Callable[["Broker", "Request"], Answer]


@dataclass(frozen=True, slots=True)
class Api:
    """One API: its key, the versions that are offered, and what serves them.

    The two hot ones have no handler: the dispatcher knows them. `is_open` says whether a client may use it
    before it has logged in.
    """

    key: int
    name: str
    min_version: int
    max_version: int
    handler: Handler | None
    is_open: bool = False


@dataclass(slots=True, eq=False)
class Request:
    """One request, decoded, and where its answer goes: `respond` is called once, at any later time."""

    api: Api
    api_version: int
    correlation_id: int
    client_id: str | None
    body: Any
    connection: Connection
    respond: Callable[[Mapping[str, object]], None]
