"""YAML and JSON out of plain data. Every file of data that archc writes comes from here."""

import json
import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
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
    return head + yaml.dump(
        data, Dumper=_dumper(), sort_keys=False, allow_unicode=True, default_flow_style=False, width=_ONE_LINE
    )


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


@cache
def _dumper() -> Any:
    """A dumper without anchors that quotes what is not plainly a word; libyaml's where it is there."""
    import yaml

    class Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
        def ignore_aliases(self, data: Any) -> bool:
            return True

    Dumper.add_representer(str, _text)
    Dumper.add_multi_representer(str, _text)
    Dumper.add_representer(MappingProxyType, lambda dumper, data: dumper.represent_dict(data.items()))
    Dumper.add_multi_representer(tuple, lambda dumper, data: dumper.represent_list(data))
    return Dumper


def _text(dumper: Any, text: str) -> Any:
    text = str(text)
    style: str | None = '"'
    if _PLAIN.fullmatch(text) and text.lower() not in _MISREAD:
        style = None
    elif "\n" in text and all(line.isprintable() for line in text.split("\n")):
        style = "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)
