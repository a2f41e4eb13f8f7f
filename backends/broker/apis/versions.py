"""ApiVersions: what the broker offers, which is the first thing that every client asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..protocol.errors import ErrorCode

if TYPE_CHECKING:
    from ..broker import Broker
    from .api import Answer, Request

API_VERSIONS = 18


def api_versions(broker: Broker, request: Request) -> Answer:
    """All APIs with their versions. What clients say of themselves changes nothing."""
    return offered(broker, ErrorCode.NONE)


def offered(broker: Broker, error: ErrorCode) -> dict[str, Any]:
    """The answer's fields; also to a version that nobody knows, with the error that says so (KIP-511)."""
    return {
        "error_code": error,
        "api_keys": [
            {"api_key": api.key, "min_version": api.min_version, "max_version": api.max_version} for api in broker.apis
        ],
    }
