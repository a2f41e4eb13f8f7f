"""Values for messages by their schemas, drawn by chance."""

import random
from types import SimpleNamespace
from typing import Any

from archc.backends.broker.protocol.notation import Field

_BITS = {"int8": 8, "int16": 16, "uint16": 16, "int32": 32, "int64": 64}


def sample(fields: tuple[Field, ...], version: int, chance: random.Random) -> dict[str, Any]:
    """Values for the fields that a version has."""
    return {f.name: _value(f, version, chance) for f in fields if f.first <= version <= f.last}


def _value(field: Field, version: int, chance: random.Random) -> Any:
    if version >= field.nullable and chance.random() < 0.3:
        return None
    if field.is_array:
        return [_single(field, version, chance) for _ in range(chance.randrange(4))]
    return _single(field, version, chance)


def _single(field: Field, version: int, chance: random.Random) -> Any:
    if not field.type:
        return sample(field.children, version, chance)
    if field.type == "string":
        return "".join(chance.choices("aß本-", k=chance.choice((0, 3, 200))))
    if field.type in ("bytes", "records"):
        return chance.randbytes(chance.choice((0, 5, 300)))
    if field.type == "uuid":
        return chance.randbytes(16)
    if field.type == "bool":
        return chance.random() < 0.5
    if field.name.endswith("error_code"):
        return chance.randrange(-1, 100)
    bits = _BITS[field.type]
    if field.name.endswith(("_ms", "_time")) or "timestamp" in field.name:  # kio makes times of these
        return chance.randrange(2 ** min(40, bits - 1))
    lowest = 0 if field.type == "uint16" else -(2 ** (bits - 1))
    return chance.randrange(lowest, lowest + 2**bits)


def plain(value: Any) -> Any:
    """What was decoded, as what was encoded."""
    if isinstance(value, SimpleNamespace):
        return {name: plain(inner) for name, inner in vars(value).items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return bytes(value) if isinstance(value, memoryview) else value
