"""YAML and JSON out of plain data. Every file of data that archc writes comes from here."""

import json
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

# What needs no quotes in any reader of YAML 1.1 or 1.2. Everything else is quoted, so that no text is ever
# taken for a number, a date, a truth value, a tag, a comment or a second document.
_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*")
_MISREAD = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "nan", "inf"))
_ONE_LINE = 1 << 20


def to_yaml(data: Any, comment: str = "") -> str:
    """One YAML document; mappings keep their order. `comment` stands above it, line by line."""
    import yaml

    head = "".join(f"# {line}".rstrip() + "\n" for line in comment.splitlines())
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.emit(_events(data), Dumper=dumper, allow_unicode=True, width=_ONE_LINE)
    return head + text


def to_json(data: Any) -> str:
    """Indented JSON with a newline at its end; mappings keep their order."""
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def read_yaml(text: str) -> dict[str, Any]:
    """The mapping that a passthrough's patch holds; empty where it is none.

    Aliases are not followed: with them a few lines stand for gigabytes, or for themselves.
    """
    import yaml

    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, _loader())):
            return {}
        data = yaml.load(text, _loader())
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def merge(base: Any, patch: Any) -> Any:
    """The data with a patch applied, as RFC 7396 says: mappings merge, null removes, all else replaces."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(base) if isinstance(base, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


@cache
def _loader() -> Any:
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


# ---- events for libyaml's emitter. Going from data to events at once, without yaml's nodes between, is three
# times as fast, and nothing is ever an anchor.


def _events(data: Any) -> list[Any]:
    import yaml

    events: list[Any] = [yaml.StreamStartEvent(), yaml.DocumentStartEvent(explicit=False)]
    _value(data, yaml, events)
    return [*events, yaml.DocumentEndEvent(explicit=False), yaml.StreamEndEvent()]


def _value(data: Any, yaml: Any, events: list[Any]) -> None:
    if isinstance(data, str):
        events.append(_scalar(str(data), yaml))
    elif isinstance(data, Mapping):
        events.append(yaml.MappingStartEvent(None, None, True, flow_style=not data))
        for key, value in data.items():
            _value(key, yaml, events)
            _value(value, yaml, events)
        events.append(yaml.MappingEndEvent())
    elif isinstance(data, list | tuple):
        events.append(yaml.SequenceStartEvent(None, None, True, flow_style=not data))
        for item in data:
            _value(item, yaml, events)
        events.append(yaml.SequenceEndEvent())
    elif data is True or data is False or data is None:
        events.append(yaml.ScalarEvent(None, None, (True, False), json.dumps(data)))
    elif type(data) is int:
        events.append(yaml.ScalarEvent(None, None, (True, False), str(data)))
    else:  # numbers with a point, and dates out of a person's patch
        node = yaml.SafeDumper("").represent_data(data)
        events.append(yaml.ScalarEvent(None, node.tag, (True, False), node.value, node.style))


def _scalar(text: str, yaml: Any) -> Any:
    style = _style(text)
    return yaml.ScalarEvent(None, None, (style is None, style is not None), text, style=style)


@lru_cache(maxsize=4096)
def _style(text: str) -> str | None:
    """None for a plain word, a bar for lines of text, else double quotes."""
    if _PLAIN.fullmatch(text) and text.lower() not in _MISREAD:
        return None
    return "|" if "\n" in text and all(line.isprintable() for line in text.split("\n")) else '"'
