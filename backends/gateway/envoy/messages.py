"""Envoy's words for plain values: typed configuration, durations, texts that are not formats."""

import re
from typing import Any
from urllib.parse import quote

from archc.compiler.paths import ANY

Message = dict[str, Any]

UINT32_MAX = 2**32 - 1
_DURATION_MS_MAX = 10 * 365 * 86_400_000

# What may stand in a path as it is (RFC 3986, 3.3), besides escapes already made.
_PATH_CHARACTERS = "%-._~!$&'()*+,;=:@"
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def typed(name: str, **fields: Any) -> Message:
    """A message that says its own type, given without the common prefix."""
    return {"@type": f"type.googleapis.com/{name}", **fields}


def extension(name: str, type_: str, **fields: Any) -> Message:
    """A named extension with its configuration."""
    return {"name": name, "typed_config": typed(type_, **fields)}


def seconds(ms: int) -> str:
    """A duration: `2s`, `0.300s`; at most what Envoy can tell from never."""
    ms = min(ms, _DURATION_MS_MAX)
    return f"{ms // 1000}s" if ms % 1000 == 0 else f"{ms // 1000}.{ms % 1000:03}s"


def path_regex(parts: tuple[str, ...]) -> str:
    """A regular expression (RE2) for a path's parts, each after its slash; "" for none."""
    return "".join("/" + "[^/]+".join(map(_escaped, part.split(ANY))) for part in parts)


def plain_path(parts: tuple[str, ...]) -> str:
    """A path without parameters, as it stands in a request line."""
    return "/" + "/".join(map(_encoded, parts))


def has_parameters(parts: tuple[str, ...]) -> bool:
    """Whether a part of a path stands for any text."""
    return any(ANY in part for part in parts)


def socket_address(host: str, port: int) -> Message:
    """A TCP address."""
    return {"socket_address": {"address": host, "port_value": port}}


def _escaped(text: str) -> str:
    return re.escape(_encoded(text))


def _encoded(text: str) -> str:
    return quote(_LONE_PERCENT.sub("%25", text), safe=_PATH_CHARACTERS)
