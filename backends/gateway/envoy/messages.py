"""Envoy's words for plain values: typed configuration, durations, texts that are not formats."""

import re
from typing import Any
from urllib.parse import quote

from archc.compiler.paths import ANY

Message = dict[str, Any]

# What may stand in a path as it is (RFC 3986, 3.3); a percent sign is taken for an escape already made.
_PATH_CHARACTERS = "%-._~!$&'()*+,;=:@"


def typed(name: str, **fields: Any) -> Message:
    """A message that says its own type, given without the common prefix."""
    return {"@type": f"type.googleapis.com/{name}", **fields}


def extension(name: str, type_: str, **fields: Any) -> Message:
    """A named extension with its configuration."""
    return {"name": name, "typed_config": typed(type_, **fields)}


def seconds(ms: int) -> str:
    """A duration: `2s`, `0.300s`."""
    return f"{ms // 1000}s" if ms % 1000 == 0 else f"{ms // 1000}.{ms % 1000:03}s"


def literal(text: str) -> str:
    """Text for a place where Envoy reads `%NAME%` as a command: it stands for itself."""
    return text.replace("%", "%%")


def path_regex(parts: tuple[str, ...]) -> str:
    """A regular expression (RE2) for a path's parts, each after its slash; "" for none."""
    return "".join("/" + "[^/]+".join(map(_escaped, part.split(ANY))) for part in parts)


def plain_path(parts: tuple[str, ...]) -> str:
    """A path without parameters, as it stands in a request line."""
    return "/" + "/".join(quote(part, safe=_PATH_CHARACTERS) for part in parts)


def has_parameters(parts: tuple[str, ...]) -> bool:
    """Whether a part of a path stands for any text."""
    return any(ANY in part for part in parts)


def socket_address(host: str, port: int) -> Message:
    """A TCP address."""
    return {"socket_address": {"address": host, "port_value": port}}


def _escaped(text: str) -> str:
    return re.escape(quote(text, safe=_PATH_CHARACTERS))
