"""A system as a tree of statements that can be changed, written out in any order and over any files."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Union

INDENT = "  "


@dataclass(slots=True)
class Node:
    """A statement: its head as it is written, and the statements of its block."""

    head: str
    block: list["Node"] = field(default_factory=list)

    @property
    def word(self) -> str:
        """The statement's first word."""
        return self.head.split(maxsplit=1)[0]

    @property
    def name(self) -> str:
        """The statement's second word: an element's name, a call's target."""
        return [*self.head.split(maxsplit=2), ""][1]

    def add(self, *statements: Union[str, "Node"]) -> "Node":
        """Put statements into the block; the node itself."""
        self.block += [node(statement) for statement in statements]
        return self

    def all(self, word: str) -> list["Node"]:
        """The block's statements with a first word."""
        return [inner for inner in self.block if inner.word == word]

    def one(self, word: str) -> "Node":
        """The block's only statement with a first word."""
        [found] = self.all(word)
        return found

    def drop(self, *words: str) -> "Node":
        """Take the statements with these first words away; the node itself."""
        self.block = [inner for inner in self.block if inner.word not in words]
        return self

    def put(self, statement: str) -> "Node":
        """Let a statement be the only one with its first word; the node itself."""
        return self.drop(statement.split()[0]).add(statement)

    def without(self, name: str) -> "Node":
        """Take a named argument or a flag out of the head; the node itself."""
        self.head = re.sub(rf" {name}(=\S+)?(?= |$)", "", self.head)
        return self

    def lines(self, depth: int = 0) -> Iterator[str]:
        """The statement in the one style, a line each."""
        indent = INDENT * depth
        if not self.block:
            yield f"{indent}{self.head}"
            return
        yield f"{indent}{self.head} {{"
        for inner in self.block:
            yield from inner.lines(depth + 1)
        yield f"{indent}}}"

    def everything(self) -> Iterator["Node"]:
        """The statement and all inside it."""
        yield self
        for inner in self.block:
            yield from inner.everything()


def node(statement: str | Node) -> Node:
    """A statement as a node; `a { b; c }` on one line becomes a block."""
    if isinstance(statement, Node):
        return statement
    return _parsed(statement.strip())


def _parsed(text: str) -> Node:
    if not text.endswith("}") or " {" not in text:
        return Node(text)
    head, _, rest = text.partition(" {")
    return Node(head, [_parsed(part) for part in _parts(rest[:-1])])


def _parts(text: str) -> Iterator[str]:
    """What stands between semicolons that are in no inner block and no text."""
    part, depth, is_quoted = "", 0, False
    for char in text:
        is_quoted ^= char == '"'
        if not is_quoted:
            depth += (char == "{") - (char == "}")
        if char == ";" and depth == 0 and not is_quoted:
            yield part.strip()
            part = ""
        else:
            part += char
    if part.strip():
        yield part.strip()


@dataclass(slots=True)
class Draft:
    """A system that is being drafted: its block, and the environments beside it.

    Names of everything that is declared are unique, so that they can be renamed in the text.
    """

    system: Node
    environments: list[Node] = field(default_factory=list)

    @property
    def domains(self) -> list[Node]:
        """The domains, in order."""
        return self.system.all("domain")

    def elements(self, kind: str) -> list[tuple[str, Node]]:
        """The elements of a kind with their ids, wherever they are declared."""
        outside = [(element.name, element) for element in self.system.all(kind)]
        inside = [(f"{d.name}.{e.name}", e) for d in self.domains for e in d.all(kind)]
        return outside + inside

    def domain_of(self, id_: str) -> Node:
        """The domain of an id."""
        return next(domain for domain in self.domains if domain.name == id_.partition(".")[0])

    def text(self) -> str:
        """All of it as one file."""
        return _written([self.system, *self.environments])

    def shuffled(self, chance: random.Random) -> str:
        """All of it as one file, with the statements of every block in another order."""
        return _written(_shuffled([self.system, *self.environments], chance))

    def files(self, chance: random.Random) -> dict[str, str]:
        """All of it over several files: domains, and elements of them, each with the name of its place."""
        parts: dict[str, list[Node]] = {"system.arch": [Node(self.system.head)]}
        for inner in self.system.block:
            if inner.word == "domain":
                kept = Node(inner.head, [s for s in inner.block if s.word in ("owner", "doc", "allow")])
                parts[f"{inner.name}.arch"] = [kept]
                for element in inner.block:
                    if element in kept.block:
                        continue
                    if chance.random() < 0.5:
                        kept.add(element)
                    else:
                        word, _, rest = element.head.partition(" ")
                        outside = Node(f"{word} {inner.name}.{rest}", element.block)
                        parts.setdefault(f"more-{chance.randrange(3)}.arch", []).append(outside)
            else:
                parts["system.arch"][0].add(inner)
        parts["environments.arch"] = self.environments
        return {name: _written(nodes) for name, nodes in parts.items() if nodes}


def _shuffled(nodes: list[Node], chance: random.Random) -> list[Node]:
    mixed = [Node(n.head, _shuffled(n.block, chance)) for n in nodes]
    chance.shuffle(mixed)
    return mixed


def _written(nodes: list[Node]) -> str:
    return "".join(f"{line}\n" for n in nodes for line in n.lines())
