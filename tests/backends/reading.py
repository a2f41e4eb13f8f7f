"""Generated files read back, each by the rules of the program that will read it.

`read` gives plain data: what YAML, JSON and TOML hold; the syntax tree of Python; for everything else the
tokens, nested as brackets nest them where the language has any. Two files of one structure give data of one
shape, whatever the texts in them.
"""

import ast
import json
import re
import subprocess
import tomllib
from collections.abc import Callable, Hashable
from functools import cache, lru_cache
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import yaml
from markdown_it import MarkdownIt


class UnreadableError(Exception):
    """Why a file is not what its name says."""


@lru_cache(2_000)
def read(path: str, text: str) -> Any:
    """The data of a file, by its name. Raises UnreadableError."""
    try:
        return _reader(path)(text)
    except (ValueError, SyntaxError, RecursionError, yaml.YAMLError, ElementTree.ParseError) as problem:
        raise UnreadableError(f"{path}: {problem}") from problem


def _reader(path: str) -> Callable[[str], Any]:
    name = path.rpartition("/")[2]
    suffix = name.rpartition(".")[2] if "." in name else ""
    reader = _BY_NAME.get(name) or _BY_SUFFIX.get(suffix)
    if reader is None:
        raise UnreadableError(f"{path}: nothing here knows how to read such a file back")
    return reader


# ---- data


@cache
def _yaml_loader() -> Any:
    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        """Refuses what JSON could not hold: repeated keys, keys that are no texts, tags, anchors."""

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[str, Any]:
            keys = [self.construct_object(key) for key, _ in node.value]
            _unique(keys)
            wrong = [key for key in keys if not isinstance(key, str)]
            if wrong:
                raise ValueError(f"the key {wrong[0]!r} is no text")
            mapping: dict[str, Any] = super().construct_mapping(node, deep)
            return mapping

    return Loader


def _yaml(text: str) -> list[Any]:
    for event in yaml.parse(text, _yaml_loader()):
        anchor = getattr(event, "anchor", None)
        tag = getattr(event, "tag", None)
        if anchor or tag not in (None, "!"):
            raise ValueError(f"the anchor or tag {anchor or tag!r}")
    documents = list(yaml.load_all(text, _yaml_loader()))
    for document in documents:
        json.dumps(document, allow_nan=False)  # no dates, no sets
    return documents


def _json(text: str) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        _unique([key for key, _ in pairs])
        return dict(pairs)

    def refuse(name: str) -> None:
        raise ValueError(f"{name} is no JSON")

    return json.loads(text, object_pairs_hook=unique, parse_constant=refuse)


def _unique(keys: list[Hashable]) -> None:
    repeated = [key for key in keys if keys.count(key) > 1]
    if repeated:
        raise ValueError(f"the key {repeated[0]!r} stands twice")


# ---- code


def _python(text: str) -> Any:
    tree = ast.parse(text)
    compile(text, "generated", "exec", dont_inherit=True)
    return _node(tree)


def _node(node: Any) -> Any:
    if isinstance(node, ast.AST):
        return [type(node).__name__, *(_node(value) for _, value in ast.iter_fields(node))]
    if isinstance(node, list):
        return [_node(item) for item in node]
    return node if isinstance(node, str) else repr(node)


def _shell(text: str) -> Any:
    done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(done.stderr.strip())
    return _tokens(text, _SHELL)


def _dockerfile(text: str) -> list[Any]:
    """Instructions: the word, then its words, or the list of an exec form."""
    instructions = []
    for line in re.sub(r"\\\n", " ", text).split("\n"):
        if re.match(r"#\s*(syntax|escape|check)\s*=", line):
            raise ValueError(f"the directive {line!r}")
        if not line.strip() or line.startswith("#"):
            continue
        word, _, rest = line.partition(" ")
        if not _INSTRUCTIONS.fullmatch(word) or not rest.strip():
            raise ValueError(f"{line!r} is no instruction")
        arguments = json.loads(rest) if rest.startswith("[") else _tokens(rest, _SHELL)
        instructions.append([word, arguments])
    if not instructions or instructions[0][0] not in ("FROM", "ARG"):
        raise ValueError("it begins with no FROM")
    return instructions


def _javascript(text: str) -> list[Any]:
    return _nested(_tokens(text, _C_LIKE))


def _vcl(text: str) -> list[Any]:
    return _nested(_tokens(text, _VCL))


def _sql(text: str) -> list[Any]:
    return _tokens(text, _SQL)


def _nginx(text: str) -> list[Any]:
    return _nested(_tokens(text, _NGINX))


def _haproxy(text: str) -> list[Any]:
    return [_tokens(line, _SHELL) for line in text.split("\n")]


def _proto(text: str) -> list[Any]:
    return _nested(_tokens(text, _C_LIKE))


def _dot(text: str) -> list[Any]:
    """Tokens, with HTML-like labels as their elements."""
    found = []
    for kind, token in _tokens(text, _DOT):
        found.append([kind, _xml(f"<x>{_named_entities(token[1:-1])}</x>") if kind == "html" else token])
    return found


def _mermaid(text: str) -> list[Any]:
    opening, head, body = text.split("---\n", 2)
    if opening:
        raise ValueError("it does not begin with its title")
    return [_yaml(head), *(_tokens(line, _MERMAID) for line in body.split("\n"))]


# Each language's tokens, tried in order. What no pattern takes is unreadable.
_SPACE = r"(?P<space>\s+)"
_SHELL = (
    r"(?P<comment>(?<![^\s;&|()])#[^\n]*)|(?P<single>'[^']*')|(?P<double>\"(?:\\.|[^\"\\])*\")"
    r"|(?P<sign>[;&|<>()\n])|(?P<space>[ \t]+)|(?P<word>(?:\\.|[^\s;&|<>()'\"\\])+)"
)
_NGINX = (
    rf"{_SPACE}|(?P<comment>\#[^\n]*)|(?P<single>'(?:\\.|[^'\\])*')|(?P<double>\"(?:\\.|[^\"\\])*\")"
    r"|(?P<open>\{)|(?P<close>\})|(?P<sign>;)|(?P<word>(?:\\.|\$\{[^}]*\}|[^\s;{}\\])+)"
)
_C_LIKE = (
    rf"{_SPACE}|(?P<comment>//[^\n]*|/\*.*?\*/|\#[^\n]*)|(?P<single>'(?:\\.|[^'\\\n])*')"
    r"|(?P<double>\"(?:\\.|[^\"\\\n])*\")|(?P<template>`(?:\\.|[^`\\])*`)|(?P<open>[{\[(])|(?P<close>[}\])])"
    r"|(?P<word>[\w.$-]+)|(?P<sign>[^\w\s])"
)
_VCL = (
    rf"{_SPACE}|(?P<comment>//[^\n]*|/\*.*?\*/|\#[^\n]*)|(?P<double>\"[^\"\n]*\")|(?P<open>[{{(])|(?P<close>[}})])"
    r"|(?P<word>[\w.-]+)|(?P<sign>[^\w\s])"
)
_SQL = (
    rf"{_SPACE}|(?P<comment>--[^\n]*)|(?P<meta>\\[^\n]*)|(?P<single>:?'(?:''|[^'\\])*')"
    r"|(?P<double>\"(?:\"\"|[^\"])*\")|(?P<word>\w+)|(?P<sign>[^\w\s])"
)
_DOT = (
    rf"{_SPACE}|(?P<double>\"(?:\\.|[^\"\\])*\")|(?P<html><(?:<[^<>]*>|[^<>]+)*>)"
    r"|(?P<arrow>->)|(?P<word>[\w.-]+)|(?P<sign>[{}\[\]=;,:])"
)
_MERMAID = r"(?P<double>\"[^\"]*\")|(?P<space>\s+)|(?P<word>[\w-]+)|(?P<sign>[^\w\s\"])"
_INSTRUCTIONS = re.compile(
    r"ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|FROM|HEALTHCHECK|LABEL|RUN|STOPSIGNAL|USER|VOLUME|WORKDIR"
)


def _tokens(text: str, grammar: str) -> list[list[str]]:
    found, at = [], 0
    pattern = re.compile(grammar, re.DOTALL)
    while at < len(text):
        match = pattern.match(text, at)
        if match is None:
            raise ValueError(f"{text[at : at + 40]!r} is no token")
        if match.lastgroup not in ("space", "comment"):
            found.append([str(match.lastgroup), match[0]])
        at = match.end()
    return found


def _nested(tokens: list[list[str]]) -> list[Any]:
    stack: list[list[Any]] = [[]]
    for token in tokens:
        if token[0] == "open":
            stack.append([token])
        elif token[0] == "close":
            if len(stack) == 1 or "{[(".index(stack[-1][0][1]) != "}])".index(token[1]):
                raise ValueError(f"{token[1]} closes nothing")
            stack[-2].append(stack.pop())
        else:
            stack[-1].append(token)
    if len(stack) > 1:
        raise ValueError(f"{stack[-1][0][1]} is never closed")
    return stack[0]


# ---- documents


class _Html(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Any] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        _unique([name for name, _ in attrs])
        self.found.append([tag, [[name, value or ""] for name, value in attrs]])

    def handle_endtag(self, tag: str) -> None:
        self.found.append([f"/{tag}"])

    def handle_data(self, data: str) -> None:
        if self.found and self.found[-1][0] == "text":
            self.found[-1][1] += data
        else:
            self.found.append(["text", data])

    def handle_decl(self, decl: str) -> None:
        self.found.append(["declaration", decl])

    def handle_comment(self, data: str) -> None:
        self.found.append(["comment", data])

    def unknown_decl(self, data: str) -> None:
        self.found.append(["unknown declaration", data])

    def handle_pi(self, data: str) -> None:
        self.found.append(["instruction", data])


def _html(text: str) -> list[Any]:
    parser = _Html()
    parser.feed(text)
    parser.close()
    return parser.found


def _markdown(text: str) -> list[Any]:
    """Blocks and what is in them. A quotation is a person's own Markdown: only its extent counts."""
    found: list[Any] = []
    depth = 0
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        depth += token.nesting if token.type.startswith("blockquote") else 0
        if depth:
            if token.type in ("html_block", "html_inline") or any(
                child.type == "html_inline" for child in token.children or ()
            ):
                raise ValueError(f"HTML in a quotation: {token.content!r}")
            continue
        found.append([token.type, token.info, "" if token.children else token.content])
        found += [[child.type, child.content, dict(child.attrs)] for child in token.children or ()]
    return found


def _named_entities(text: str) -> str:
    return re.sub(r"&nbsp;", "&#160;", text)


def _xml(text: str) -> Any:
    def plain(element: ElementTree.Element) -> list[Any]:
        inner = [[plain(child), child.tail or ""] for child in element]
        return [element.tag, dict(element.attrib), element.text or "", inner]

    return plain(ElementTree.fromstring(text))


def _lines(text: str) -> list[str]:
    return text.split("\n")


_BY_NAME: dict[str, Callable[[str], Any]] = {
    ".dockerignore": _lines,
    ".gitignore": _lines,
    "Dockerfile": _dockerfile,
    "py.typed": _lines,
}
_BY_SUFFIX: dict[str, Callable[[str], Any]] = {
    "cfg": _haproxy,
    "conf": _nginx,
    "dot": _dot,
    "html": _html,
    "js": _javascript,
    "json": _json,
    "md": _markdown,
    "mmd": _mermaid,
    "proto": _proto,
    "py": _python,
    "sh": _shell,
    "sql": _sql,
    "svg": _xml,
    "toml": tomllib.loads,
    "txt": _lines,
    "vcl": _vcl,
    "xml": _xml,
    "yaml": _yaml,
    "yml": _yaml,
}
