"""From a frame to its handler, and from the handler's answer to a frame.

A frame that cannot be read, and a version that nobody offered, end the connection, as Kafka does: what
follows would not be understood either.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import TYPE_CHECKING

from ..operations.measures import error_codes
from ..protocol.codec import decode_request, encode_response
from ..protocol.errors import ErrorCode
from ..protocol.notation import schema
from ..protocol.primitives import DecodeError, Reader
from .api import Api, Later, Request
from .fetch import FETCH, fetch
from .frames import Header, begin_answer, end_answer, read_client_id, read_header
from .produce import PRODUCE, produce
from .sasl import serve_bare_token
from .versions import API_VERSIONS, offered

if TYPE_CHECKING:
    from ..broker import Broker
    from ..net.connection import Connection, Slot

_log = logging.getLogger(__name__)
# These two have handlers of their own shape: their bodies are not decoded into objects.
_HOT: dict[int, Callable[[Broker, Connection, int, int, Reader], None]] = {PRODUCE: produce, FETCH: fetch}


class Dispatcher:
    """Serves the frames of all connections."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._apis = {api.key: api for api in broker.apis}
        # Produce is offered from version 0 on and served from 3.
        self._oldest = {api.key: schema(api.key).first for api in broker.apis}
        self._flexible = {api.key: schema(api.key).flexible for api in broker.apis}

    def serve(self, connection: Connection, frame: memoryview) -> None:
        """Serve one frame; nothing that it holds is needed afterwards."""
        start = perf_counter()
        reader = Reader(frame)
        header = None
        try:
            if connection.sasl is not None and connection.sasl.has_bare_tokens:
                serve_bare_token(self._broker, connection, frame)
                return
            header = read_header(reader)
            self._serve(connection, header, reader)
        except DecodeError as problem:
            connection.close(f"a request that cannot be read ({_named(header)}): {problem}")
        except Exception:  # noqa: BLE001 - one client must not end the broker for all
            _log.exception("a request failed", extra={"request": _named(header), "peer": connection.peer})
            connection.close("an internal error")
        if header is not None and header.api_key in self._apis:
            self._broker.metrics.on_served(self._apis[header.api_key].name, perf_counter() - start)

    def _serve(self, connection: Connection, header: Header, reader: Reader) -> None:
        key, version, correlation_id = header
        api = self._apis.get(key)
        if api is None or not api.min_version <= version <= api.max_version or version < self._oldest[key]:
            self._refuse(connection, header)
            return
        if not api.is_open and self._broker.users is not None and not connection.principal:
            connection.close("a request before the login")
            return
        is_flexible = version >= self._flexible[key]
        client_id = read_client_id(reader, is_flexible)
        if key in _HOT:
            _HOT[key](self._broker, connection, version, correlation_id, reader)
            return
        # Handlers keep what they were given; the frame's bytes are gone when this returns.
        body = decode_request(key, version, Reader(bytes(reader.buffer), reader.position))
        slot = connection.slot()
        request = Request(api, version, correlation_id, client_id, body, connection, lambda fields: None)

        def respond(fields: Mapping[str, object]) -> None:
            _respond(slot, api, version, correlation_id, is_flexible, fields)
            self._broker.metrics.on_answer(api.name, error_codes(fields))

        request.respond = respond
        assert api.handler is not None
        answer = api.handler(self._broker, request)
        if not isinstance(answer, Later):
            respond(answer)

    def _refuse(self, connection: Connection, header: Header) -> None:
        """Answer ApiVersions in a version that every client reads; close on everything else."""
        if header.api_key != API_VERSIONS:
            connection.close(f"nobody offered {_named(header)}")
            return
        fields = offered(self._broker, ErrorCode.UNSUPPORTED_VERSION)
        _respond(connection.slot(), self._apis[API_VERSIONS], 0, header.correlation_id, False, fields)


def _respond(
    slot: Slot,
    api: Api,
    version: int,
    correlation_id: int,
    is_flexible: bool,
    fields: Mapping[str, object],
) -> None:
    # A client reads the answer to its first question before it knows what is flexible (KIP-511).
    out = begin_answer(correlation_id, is_flexible and api.key != API_VERSIONS)
    encode_response(api.key, version, fields, out)
    slot.fill(end_answer(out))


def _named(header: Header | None) -> str:
    if header is None:
        return "no header"
    return f"API {header.api_key} version {header.api_version}"
