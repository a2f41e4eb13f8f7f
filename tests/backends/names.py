"""The system of every kind with its names replaced by words that mean something to what reads its files."""

import random
import re

from archc.compiler.kinds import BY_NAME
from tests.backends.building import EVERYTHING
from tests.backends.slots import element_names

_PYTHON = """
and as assert async await break class continue def del elif else except finally for from global if import
in is lambda nonlocal not or pass raise return try while with yield match case type print list dict set
str int bool hash len open object super self cls none true false
""".split()  # noqa: SIM905
ELEMENTS = """
class import def none true null yes no on y end graph subgraph self main app test tests os sys json typing
handlers models default localhost metrics http kubernetes select table order user group message package
rpc archc runtime server client types grpc google protobuf settings health root admin postgres mysql redis
kafka system public proc template0 style click linkstyle classdef node digraph strict con1 index internal
local production deploy secrets docs a a1 x-y-z a-1 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
""".split()  # noqa: SIM905
FIELDS = [
    *_PYTHON,
    *"""
    model-config model-fields model-dump copy json schema validate construct from-orm fields metadata
    registry query message package optional repeated reserved oneof map option enum service rpc stream
    returns order select user table group id a-b a_b aB a1 a--b date time uuid decimal datetime list-of
    value name mro data items keys values get update pop clear annotations parse-obj class_ import_
    createdAt created-at httpURL
    """.split(),  # noqa: SIM905
]
TYPES = """
None True False Exception List Dict Field BaseModel Enum Any Annotated Decimal UUID Request Response
Depends Path Query Body Context Problem Page Event Topic Database Protocol Handlers Api Model Type Object
String Int Record Table Column Base Session Message Int32 Float Bytes Optional Union Literal Self Class
Import Warning ValueError Callable Iterator StrEnum RootModel ConfigDict App Router FastAPI Settings
Service Client Caller Timestamp Empty Map
""".split()  # noqa: SIM905
RPCS = """
None True Import Class Watch Health Check Init Stop Close Del Get List Print Def Self Type Async Await X
GetX Stub
""".split()  # noqa: SIM905
MEMBERS = [*_PYTHON, *"mro name value auto missing init new members foo fooBar foo-bar foo_bar a1".split()]  # noqa: SIM905
SCOPES = ["a.b-c", "A", "x.y.z", "none", "true", "a-b", "import", "None"]
ROLES = ["класс", "a.b", "none", "Admin", "a-b", "é", "offline_access", "uma_authorization"]

_FIELD_NAMES = "id name colour price tags made thing at customer total quantity order".split()  # noqa: SIM905
_FIELD_TYPES = "uuid|string|Colour|decimal|timestamp|email|int"


def renamed(what: str, seed: int) -> str:
    """The source with other names for its "elements", its "fields", or its "types" and what is theirs."""
    chance = random.Random(seed)
    if what == "elements":
        names = [name.rpartition(".")[2] for kind, name in element_names() if kind not in _TYPE_KINDS]
        return _replaced([rf"(?<![\w/-]){re.escape(name)}(?![\w-])" for name in names], ELEMENTS, chance)
    if what == "fields":
        declared = r"(?<=[{{;] ){0}(?= \[?(?:{1}))|(?<=key ){0}(?=[ ;])"
        return _replaced([declared.format(name, _FIELD_TYPES) for name in _FIELD_NAMES], FIELDS, chance)
    names = [name.rpartition(".")[2] for kind, name in element_names() if kind in _TYPE_KINDS]
    text = _replaced([rf"\b{name}\b" for name in names], TYPES, chance)
    text = _replaced([r"\bWeigh\b"], RPCS, chance, text)
    text = _replaced([r"\bred\b", r"\bdark-green\b"], MEMBERS, chance, text)
    text = _replaced([r"\borders\.read\b", r"\borders\.write\b"], SCOPES, chance, text)
    return _replaced([r"\bclerk\b", r"\bkeeper\b"], ROLES, chance, text)


_TYPE_KINDS = ("type", "enum", "event")
assert BY_NAME.keys() >= set(_TYPE_KINDS)


def _replaced(patterns: list[str], names: list[str], chance: random.Random, text: str = EVERYTHING) -> str:
    """The text with the matches of each pattern replaced by a name of its own, all at the same time."""
    chosen = chance.sample(names, len(patterns))
    for number, pattern in enumerate(patterns):
        text = re.sub(pattern, f"\0{number}\0", text, flags=re.MULTILINE)
    return re.sub(r"\0(\d+)\0", lambda match: chosen[int(match[1])], text)
