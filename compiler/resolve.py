"""From declarations to the model: every statement checked against the schema, every name resolved.

The walk is generic: the schema says what a statement's arguments are, the record it becomes has the fields of
the same names, and pydantic puts the records into the model's classes.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any

from archc.compiler.binding import bind
from archc.compiler.construction import construct
from archc.compiler.declarations import Declaration, Declarations
from archc.compiler.kinds import BY_NAME, ENVIRONMENT
from archc.compiler.merging import key_of
from archc.compiler.model import CLASSES, SCALARS, Element, Environment, System
from archc.compiler.schema import Entry, Keyword, Parameter
from archc.compiler.suggest import did_you_mean, nearest
from archc.compiler.values import HTTP_METHODS, Problem, convert, fits, shown
from archc.compiler.words import one_of, with_article
from archc.dsl.diagnostics import Diagnostic, Related, Span, error
from archc.dsl.tree import Argument, Statement

_TYPE_KINDS = ("type", "enum")
# After so many faults, nearby names are no help any more, and to look for them would take minutes.
_HINTS_MAX = 200
# Scalars that take limits in parentheses: how many characters, which range.
_LIMITED = {"string": 1, "int": 1, "decimal": 1, "bytes": 1}


class Resolver:
    """Resolves one system's declarations. Faults gather in `faults`."""

    def __init__(self, declarations: Declarations, removed: Iterable[str] = ()) -> None:
        self.declarations = declarations
        self.removed = frozenset(removed)
        self.faults: list[Diagnostic] = list(declarations.faults)
        self.domain = ""
        self.dropped = False

    def system(self, environment: Statement | None) -> System | None:
        """The model of the whole, or None when no system is declared."""
        declared = self.declarations.system
        if declared is None:
            return None
        elements = {d.id: self._element(d) for d in self.declarations.elements.values()}
        self.domain = ""
        data = self._element_data(declared)
        data["environment"] = self._environment(environment, declared.span)
        data["environments"] = tuple(sorted(self.declarations.environments))
        return construct(System, data | {"elements": MappingProxyType(elements)})

    def _environment(self, statement: Statement | None, system: Span) -> Environment:
        if statement is None:
            return construct(Environment, {"span": system})
        known = [s for s in statement.block or () if s.word in ENVIRONMENT.keywords]
        data = self._block(known, ENVIRONMENT.keywords, None, "environment")
        data.pop("doc", None)
        platform = data.pop("platform", {})
        data |= {"platform": platform.get("name", "compose"), "cloud": platform.get("cloud", "")}
        name = statement.arguments[0]
        return construct(Environment, data | {"span": name.span, "name": name.text})

    def faults_of(
        self, declarations: Iterable[Declaration], environment: Statement | None = None
    ) -> list[Diagnostic]:
        """The faults of some declarations and an environment alone; their model is not kept."""
        if environment is not None:
            self._environment(environment, environment.word_span)
        for declaration in declarations:
            self._element(declaration)
        return self.faults

    # ---- elements

    def _element(self, declaration: Declaration) -> Element:
        self.domain = declaration.domain
        return construct(CLASSES[declaration.kind.name], self._element_data(declaration))

    def _element_data(self, declaration: Declaration) -> dict[str, Any]:
        kind, statement = declaration.kind, declaration.statement
        data: dict[str, Any] = {
            "id": declaration.id,
            "name": declaration.name,
            "domain": declaration.domain,
            "declared_kind": declaration.declared_kind,
            "span": declaration.span,
        }
        places: dict[str, Span] = {named.name: named.span for named in statement.named}
        data |= self._arguments(statement, kind.header_keyword, skip=1)
        if declaration.domain and declaration.domain not in self.declarations.elements:
            self._unknown_domain(declaration)
        data |= self._block(declaration.body, kind.keywords, kind.entry, kind.name, places)
        if kind.name == "topic" and "on" not in data:
            data["on"] = self._only_broker(declaration)
        return data | {"places": places}

    @cached_property
    def _brokers(self) -> list[str]:
        return [d.id for d in self.declarations.elements.values() if d.kind.name == "broker"]

    def _only_broker(self, topic: Declaration) -> str:
        """The broker of a topic that names none: the system's one, if it has just one."""
        brokers = self._brokers
        if len(brokers) > 1:
            hint = f"write `topic {topic.name} on={brokers[0]}`"
            self.faults.append(
                error(
                    "A1712", topic.span, f"which of {len(brokers)} brokers carries `{topic.id}`?", hint=hint
                )
            )
        return brokers[0] if len(brokers) == 1 else ""

    def _unknown_domain(self, declaration: Declaration) -> None:
        domains = [d.id for d in self._elements_for_hints() if d.kind.name == "domain"]
        hint = did_you_mean(declaration.domain, domains)
        message = f"there is no domain `{declaration.domain}`"
        if declaration.domain not in self.declarations.lost_words:
            self.faults.append(error("A1702", declaration.span, message, hint=hint))

    # ---- blocks and statements

    def _block(
        self,
        statements: Iterable[Statement],
        keywords: Mapping[str, Keyword],
        entry: Entry | None,
        holder: str,
        places: dict[str, Span] | None = None,
    ) -> dict[str, Any]:
        """The fields that a block's statements give."""
        data: dict[str, Any] = {}
        first: dict[str, Span] = {}
        entries: dict[str, Span] = {}
        for statement in statements:
            keyword = keywords.get(statement.word)
            if keyword is None or (entry is not None and not _fits_keyword(statement, keyword)):
                self._entry(statement, keywords, entry, holder, data, entries)
                continue
            if places is not None and not keyword.many:
                places[statement.word] = statement.head
            if not keyword.many or keyword.distinct:
                twin = " ".join((statement.word, *(key_of(statement, keyword) if keyword.many else ())))
                if twin in first:
                    self._repeated(twin, statement, first[twin])
                    continue
                first[twin] = statement.head
            self.dropped = False
            value = self._value(statement, keyword)
            if self.dropped:
                continue
            if keyword.many:
                data.setdefault(keyword.field, []).append(value)
            else:
                data[keyword.field] = value
        return data

    def _entry(
        self,
        statement: Statement,
        keywords: Mapping[str, Keyword],
        entry: Entry | None,
        holder: str,
        data: dict[str, Any],
        seen: dict[str, Span],
    ) -> None:
        """An entry's record, appended to its field; or the fault that the word is unknown."""
        parameter = entry.word_parameter if entry is not None else None
        word = Argument("word", statement.word, statement.word_span)
        name = convert(word, parameter) if parameter is not None else Problem("")
        is_method = parameter is not None and parameter.type == "method"
        if entry is None or parameter is None or (is_method and statement.word not in HTTP_METHODS):
            hint = f"`archc explain {holder}` lists what may stand here"
            if is_method and statement.word.upper() in HTTP_METHODS:
                hint = f"did you mean `{statement.word.upper()}`?"
            elif is_method and statement.word.isupper():
                hint = f"the methods are {', '.join(HTTP_METHODS)}"
            else:
                hint = did_you_mean(statement.word, keywords) or hint
            is_kind = holder in BY_NAME or holder == ENVIRONMENT.name
            where = with_article(holder) if is_kind else f"`{holder}`"
            message = f"`{statement.word}` means nothing in {where}"
            self.faults.append(error("A1711", statement.word_span, message, hint=hint))
            return
        if isinstance(name, Problem):
            self.faults.append(error("A1701", statement.word_span, name.message, hint=name.hint))
            return
        key = " ".join((statement.word, *(a.text for a in statement.arguments[:1] if a.form == "path")))
        if key in seen:
            self.declarations_duplicate(key, statement.word_span, seen[key])
            return
        seen[key] = statement.word_span
        self.dropped = False
        record = self._record(statement, entry.keyword)
        if not self.dropped:
            data.setdefault(entry.field, []).append({parameter.name.replace("-", "_"): name} | record)

    def declarations_duplicate(self, name: str, span: Span, first: Span) -> None:
        """Report an entry that is declared twice in its block."""
        related = (Related(first, "first declared here"),)
        self.faults.append(error("A1702", span, f"`{name}` is declared twice", related=related))

    def _repeated(self, what: str, statement: Statement, first: Span) -> None:
        related = (Related(first, "first here"),)
        message = f"`{what[:60]}` stands twice in this block"
        self.faults.append(error("A1714", statement.head, message, hint="keep one", related=related))

    def _value(self, statement: Statement, keyword: Keyword) -> Any:
        if keyword.is_flag:
            self._arguments(statement, keyword)
            return True
        if keyword.is_scalar:
            values = self._arguments(statement, keyword)
            self._no_block(statement)
            self.dropped = self.dropped or not values
            return next(iter(values.values()), None)
        return self._record(statement, keyword)

    def _record(self, statement: Statement, keyword: Keyword) -> dict[str, Any]:
        record = {"span": statement.head} | self._arguments(statement, keyword)
        if statement.block is None:
            return record
        if not keyword.keywords and keyword.entry is None:
            self._no_block(statement)
            return record
        broken = self.dropped
        inner = self._block(statement.block, keyword.keywords, keyword.entry, keyword.name)
        self.dropped = broken
        for name in inner.keys() & record.keys():
            place = next(s.head for s in statement.block)
            message = (
                f"`{name.replace('_', '-')}` is given on the line of `{statement.word}` and in its block"
            )
            self.faults.append(error("A1714", place, message, hint="keep one of the two"))
        return record | inner

    def _no_block(self, statement: Statement) -> None:
        if statement.block:
            message = f"`{statement.word}` has no block"
            self.faults.append(error("A1711", statement.block[0].word_span, message, hint="remove it"))

    # ---- arguments

    def _arguments(self, statement: Statement, keyword: Keyword, skip: int = 0) -> dict[str, Any]:
        """The fields that arguments give. A faulty one is left out, and with it a record that needs it."""
        binding = bind(statement, keyword, skip)
        self.faults.extend(binding.faults)
        self.dropped = self.dropped or bool(binding.faults)
        fields: dict[str, Any] = {}
        for parameter in keyword.parameters:
            argument = binding.arguments.get(parameter.name)
            if argument is None:
                if parameter.default:
                    default = Argument("quantity", parameter.default, statement.word_span)
                    fields[parameter.field] = convert(default, parameter)
                continue
            value = self._argument(argument, parameter, fields)
            if value is not None:
                fields[parameter.field] = value
            elif parameter.required:
                self.dropped = True
        return fields

    def _argument(self, argument: Argument, parameter: Parameter, fields: dict[str, Any]) -> Any:
        if parameter.style == "flag":
            return True
        if parameter.type == "ref":
            return self._reference(argument, parameter, fields)
        if parameter.type == "refs":
            items = argument.items if argument.form == "list" else (argument,)
            named = [self._reference(item, parameter, fields) for item in items]
            return tuple(id_ for id_ in named if id_ is not None)
        if parameter.type == "type":
            return self._data_type(argument)
        value = convert(argument, parameter)
        if isinstance(value, Problem):
            self.faults.append(error("A1712", argument.span, value.message, hint=value.hint))
            return None
        return value

    # ---- names

    def _find(self, name: str) -> Declaration | None:
        """A declaration by the name written in the current domain: its own first, then the system's."""
        elements = self.declarations.elements
        return elements.get(f"{self.domain}.{name}" if self.domain else name) or elements.get(name)

    def _reference(self, argument: Argument, parameter: Parameter, fields: dict[str, Any]) -> str | None:
        """The id a reference means. A call may name an rpc after the service; that goes to `operation`."""
        if argument.form != "word":
            self.faults.append(error("A1712", argument.span, f"{shown(argument)} is not a name"))
            return None
        found = self._find(argument.text)
        if found is None and "service" in parameter.choices and "." in argument.text:
            holder, _, operation = argument.text.rpartition(".")
            found = self._find(holder)
            if found is not None and found.kind.name == "service" and operation[:1].isupper():
                fields["operation"] = operation
            else:
                found = None
        if found is None:
            self._unknown(argument, parameter)
            return None
        if parameter.choices != ("*",) and found.kind.name not in parameter.choices:
            kind = with_article(found.declared_kind)
            message = f"`{argument.text}` is {kind}; this must be {one_of(parameter.choices)}"
            related = (Related(found.span, "declared here"),)
            self.faults.append(error("A1702", argument.span, message, related=related))
            return None
        return found.id

    def _elements_for_hints(self) -> Iterable[Declaration]:
        return self.declarations.elements.values() if len(self.faults) < _HINTS_MAX else ()

    def _unknown(self, argument: Argument, parameter: Parameter) -> None:
        if argument.text.rpartition(".")[2] in self.declarations.lost_words:
            return
        if {argument.text, f"{self.domain}.{argument.text}"} & self.removed:
            return  # the environment removed it, and its edges go with it
        elements = self._elements_for_hints()
        of_kind = [d for d in elements if parameter.choices == ("*",) or d.kind.name in parameter.choices]
        elsewhere = [d.id for d in of_kind if d.name == argument.text]
        names = {d.name if d.domain == self.domain else d.id for d in of_kind}
        hint = f"did you mean `{elsewhere[0]}`?" if elsewhere else did_you_mean(argument.text, names)
        what = (
            parameter.choices[0] if len(parameter.choices) == 1 and parameter.choices != ("*",) else "element"
        )
        if not hint and what == "element":
            hint = f"declare it, or name one of: {', '.join(sorted(names)[:5])}" if names else "declare it"
        elif not hint:
            hint = f"declare it: `{what} {argument.text}`"
        message = f"there is no {what} `{argument.text}`"
        self.faults.append(error("A1702", argument.span, message, hint=hint))

    def _data_type(self, argument: Argument) -> dict[str, Any] | None:
        data: dict[str, Any] = {"span": argument.span, "optional": argument.optional}
        if argument.form == "list":
            item = self._data_type(argument.items[0]) if len(argument.items) == 1 else None
            if len(argument.items) != 1:
                message = "a list type names one element type"
                self.faults.append(error("A1712", argument.span, message, hint="write for example [Product]"))
            return None if item is None else data | {"name": "list", "item": item}
        if argument.form == "call":
            return self._limited_type(argument, data)
        if argument.text in SCALARS:
            return data | {"name": argument.text}
        found = self._find(argument.text)
        if found is not None and found.kind.name in _TYPE_KINDS:
            return data | {"name": found.id}
        self._unknown_type(argument)
        return None

    def _limited_type(self, argument: Argument, data: dict[str, Any]) -> dict[str, Any] | None:
        limits = argument.items
        bounds = limits[0].text.split("..") if len(limits) == 1 else []
        whole = all(bound.lstrip("-").isascii() and bound.lstrip("-").isdigit() for bound in bounds)
        if argument.text not in _LIMITED or not bounds or not whole or max(map(len, bounds)) > 15:
            message = f"`{argument.text}(…)` is no type"
            hint = "write for example string(200) or int(1..99)"
            self.faults.append(error("A1712", argument.span, message, hint=hint))
            return None
        low = int(bounds[0]) if len(bounds) == 2 else None
        if low is not None and low > int(bounds[-1]):
            self.faults.append(error("A1712", argument.span, f"the range {limits[0].text} is upside down"))
            return None
        return data | {"name": argument.text, "minimum": low, "maximum": int(bounds[-1])}

    def _unknown_type(self, argument: Argument) -> None:
        if argument.text.rpartition(".")[2] in self.declarations.lost_words:
            return
        types = [d for d in self._elements_for_hints() if d.kind.name in _TYPE_KINDS]
        names = {d.name if d.domain == self.domain else d.id for d in types}
        elsewhere = [d.id for d in types if d.name == argument.text]
        match = elsewhere[0] if elsewhere else nearest(argument.text, [*names, *SCALARS])
        hint = f"did you mean `{match}`?" if match else f"declare it, or use one of: {', '.join(SCALARS)}"
        self.faults.append(error("A1702", argument.span, f"there is no type `{argument.text}`", hint=hint))


def _fits_keyword(statement: Statement, keyword: Keyword) -> bool:
    """Whether a statement among entries is the keyword it begins with: `doc string` is a field called doc."""
    first = next(iter(statement.arguments), None)
    return first is not None and bool(keyword.positionals) and fits(first, keyword.positionals[0])
