"""The YAML of a passthrough's patch: what is data in every reader of YAML, old and new, and nothing else.

Readers of YAML 1.1 and 1.2 disagree about `yes`, `017` and `22:22`, aliases make gigabytes of a few lines,
and tags make objects. None of that has a place in a patch, so that it means the same to archc, Compose,
Kubernetes and Envoy.
"""

import re
from typing import Any, NamedTuple

CHARACTERS_MAX = 100_000
NESTING_MAX = 32

_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,17})(?:\.\d{1,18})?")
_TAG = "tag:yaml.org,2002:"
_QUOTE = "put it into quotes if it is a text"


class Fault(NamedTuple):
    """Why a text is no patch, and what to write instead."""

    message: str
    hint: str = ""


class _Mapping:
    """A mapping that is being read: its keys so far, and whether a key comes next."""

    def __init__(self) -> None:
        self.keys: set[str] = set()
        self.is_key_next = True


def fault_of(text: str) -> Fault | None:
    """What is wrong with the YAML of a patch; None where it is one mapping of plain data."""
    import yaml

    if len(text) > CHARACTERS_MAX:
        return Fault(f"the patch has {len(text)} characters; at most {CHARACTERS_MAX} are read")
    try:
        return _fault_in(yaml.parse(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)), yaml)
    except (yaml.YAMLError, ValueError) as problem:
        return Fault(f"the patch is not YAML: {str(problem).splitlines()[0]}")


def _fault_in(events: Any, yaml: Any) -> Fault | None:
    around: list[_Mapping | None] = []
    documents = 0
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
        if documents > 1:
            return Fault("a patch is one document; `---` begins another")
        if isinstance(event, yaml.AliasEvent):
            return Fault(f"the patch has the alias `*{event.anchor[:40]}`", "write out what it stands for")
        if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            around.pop()
        elif isinstance(event, yaml.NodeEvent):
            fault = _fault_of_node(event, around, yaml)
            if fault is not None:
                return fault
    return None if documents else Fault("a patch is a YAML mapping, `key: value`")


def _fault_of_node(event: Any, around: list[_Mapping | None], yaml: Any) -> Fault | None:
    holder = around[-1] if around else None
    is_key = holder is not None and holder.is_key_next
    if holder is not None:
        holder.is_key_next = not is_key
    is_mapping, is_scalar = isinstance(event, yaml.MappingStartEvent), isinstance(event, yaml.ScalarEvent)
    if not around and not is_mapping:
        return Fault("a patch is a YAML mapping, `key: value`")
    if event.tag is not None:
        return Fault(f"the patch has the tag `{event.tag[:40]}`", "write the value alone")
    if is_key:
        assert holder is not None
        return _fault_of_key(event, holder, yaml) if is_scalar else Fault("a key of the patch is no text")
    if is_scalar:
        return _fault_of_value(event, yaml)
    around.append(_Mapping() if is_mapping else None)
    return Fault(f"the patch is nested more than {NESTING_MAX} deep") if len(around) > NESTING_MAX else None


def _fault_of_key(event: Any, holder: _Mapping, yaml: Any) -> Fault | None:
    key = event.value
    if _kind(event, yaml) != "str":
        return Fault(f"the key `{key[:40]}` of the patch is no text", "put it into quotes")
    if key in holder.keys:
        return Fault(f"the key `{key[:40]}` stands twice in the patch", "keep one of the two")
    holder.keys.add(key)
    return None


def _fault_of_value(event: Any, yaml: Any) -> Fault | None:
    kind, shown = _kind(event, yaml), f"`{event.value[:40]}`"
    if kind == "bool" and event.value not in ("true", "false"):
        return Fault(f"{shown} is a truth value to some readers", f"write true or false; {_QUOTE}")
    if kind in ("int", "float") and not _NUMBER.fullmatch(event.value):
        return Fault(f"{shown} is not the same number to all readers", f"write it in digits; {_QUOTE}")
    if kind not in ("str", "null", "bool", "int", "float"):
        return Fault(f"{shown} is no plain value to some readers", _QUOTE)
    return None


def _kind(event: Any, yaml: Any) -> str:
    """What a scalar is to PyYAML, which reads YAML 1.1: "str", "int", "timestamp"."""
    if not event.implicit[0]:
        return "str"
    tag: str = yaml.resolver.Resolver().resolve(yaml.ScalarNode, event.value, (True, False))
    return tag.removeprefix(_TAG)
