"""Which written argument is which of a keyword's parameters."""

from dataclasses import dataclass, field

from archc.compiler.manual import usage
from archc.compiler.schema import Keyword, Parameter
from archc.compiler.suggest import did_you_mean
from archc.compiler.values import REFERENCE_FORMS, Problem, convert, fits, shown
from archc.compiler.words import one_of, with_article
from archc.dsl.diagnostics import Diagnostic, error
from archc.dsl.tree import Argument, Statement

_MARKS = {"arrow": "->", "colon": ":"}


@dataclass(slots=True)
class Binding:
    """The arguments of a statement by parameter name; flags that are there map to their own word."""

    arguments: dict[str, Argument] = field(default_factory=dict)
    faults: list[Diagnostic] = field(default_factory=list)


def bind(statement: Statement, keyword: Keyword, skip: int = 0) -> Binding:
    """Bind the arguments after the first `skip` ones (an element's name). Faults are A1712."""
    binding = Binding()
    _bind_placed(statement, keyword, binding, skip)
    _bind_named(statement, keyword, binding)
    for parameter in keyword.parameters:
        in_block = statement.block is not None and any(s.word == parameter.name for s in statement.block)
        if parameter.required and parameter.name not in binding.arguments and not in_block:
            _missing(statement, keyword, parameter, binding)
            break
    if _is_empty(statement, keyword) and not binding.faults:
        hint = f"it is written `{usage(keyword)}`"
        binding.faults.append(error("A1712", statement.head, f"`{statement.word}` says nothing", hint=hint))
    return binding


def _is_empty(statement: Statement, keyword: Keyword) -> bool:
    """Whether a statement that is nothing but named arguments has none, neither on its line nor inside."""
    is_named_only = bool(keyword.parameters) and all(p.style == "named" for p in keyword.parameters)
    return is_named_only and not (statement.arguments or statement.named or statement.block)


def _bind_placed(statement: Statement, keyword: Keyword, binding: Binding, skip: int) -> None:
    arguments = list(statement.arguments[skip:])
    pending = list(keyword.positionals)
    while arguments:
        argument = arguments.pop(0)
        mark = _MARKS.get(argument.form, argument.text)
        known = keyword.by_name.get(mark) if argument.form in ("word", "arrow", "colon") else None
        if known is not None and known.style == "marked":
            _bind_marked(known, argument, arguments, binding)
            continue
        while pending and not pending[0].required and not fits(argument, pending[0]):
            pending.pop(0)
        if known is not None and known.style == "flag" and not (pending and pending[0].required):
            binding.arguments[known.name] = argument
        elif pending:
            binding.arguments[pending.pop(0).name] = argument
        else:
            _superfluous(statement, keyword, argument, binding, skip)
            return


def _bind_marked(parameter: Parameter, mark: Argument, rest: list[Argument], binding: Binding) -> None:
    if not rest:
        message = f"something is missing after `{parameter.name}`"
        binding.faults.append(error("A1712", mark.span, message))
    else:
        binding.arguments[parameter.name] = rest.pop(0)


def _bind_named(statement: Statement, keyword: Keyword, binding: Binding) -> None:
    known = [p.name for p in keyword.parameters if p.style == "named"]
    for named in statement.named:
        if named.name not in known:
            hint = did_you_mean(named.name, known) or _list_of("it takes", known, "it takes no named ones")
            message = f"`{statement.word}` has no argument `{named.name}`"
            binding.faults.append(error("A1712", named.span, message, hint=hint))
        elif named.name in binding.arguments:
            message = f"the argument `{named.name}` is given twice"
            binding.faults.append(error("A1712", named.span, message, hint="keep one of the two"))
        else:
            binding.arguments[named.name] = named.value


def _missing(statement: Statement, keyword: Keyword, parameter: Parameter, binding: Binding) -> None:
    if binding.faults:
        return  # a misplaced argument is the likelier cause, and it is reported
    if parameter.style == "marked":
        message = f"`{statement.word}` needs `{parameter.name}` and what it leads to"
    else:
        message = f"`{statement.word}` needs {with_article(parameter.name.replace('-', ' '))}"
    hint = f"it is written `{usage(keyword)}`"
    if parameter.type == "word" and parameter.choices:
        hint = f"one of: {', '.join(parameter.choices)}"
    elif parameter.type == "ref" and "*" not in parameter.choices:
        hint = f"name {one_of(parameter.choices)}"
    binding.faults.append(error("A1712", statement.head, message, hint=hint))


def _superfluous(
    statement: Statement, keyword: Keyword, argument: Argument, binding: Binding, skip: int
) -> None:
    for parameter in keyword.positionals:
        bound = binding.arguments.get(parameter.name)
        if bound is not None and not fits(bound, parameter):
            return  # that one is at fault, and its conversion says so
    word = f"{keyword.name} NAME" if skip else statement.word
    hint = _meant(keyword, argument, binding) or f"it is written `{usage(keyword, word)}`"
    message = f"`{statement.word}` has no place for {shown(argument)}"
    binding.faults.append(error("A1712", argument.span, message, hint=hint))


def _meant(keyword: Keyword, argument: Argument, binding: Binding) -> str:
    """What a superfluous argument was probably meant to be, as a hint; "" if nothing is likely."""
    free = [p for p in keyword.parameters if p.name not in binding.arguments]
    written = f'"{argument.text}"' if argument.form in ("string", "markdown") else argument.text
    for parameter in free:
        if parameter.style == "marked" and (parameter.required or _could_be(argument, parameter)):
            return f"write `{parameter.name} {written}`"
        if parameter.style == "named" and argument.text == parameter.name:
            return f"write `{parameter.name}=` and its value without a space"
        if parameter.style == "named" and argument.form != "word" and _could_be(argument, parameter):
            return f"write `{parameter.name}={written}`"
        if parameter.type == "path" and argument.form == "string" and argument.text.startswith("/"):
            return f"write {argument.text} without the quotes"
    words = [p.name for p in free if p.style in ("flag", "marked")]
    words += [choice for p in free if p.style == "positional" and p.type == "word" for choice in p.choices]
    return did_you_mean(argument.text, words) if argument.form == "word" else ""


def _could_be(argument: Argument, parameter: Parameter) -> bool:
    if parameter.type in REFERENCE_FORMS:
        return False
    return fits(argument, parameter) and not isinstance(convert(argument, parameter), Problem)


def _list_of(lead: str, names: list[str], otherwise: str) -> str:
    return f"{lead} {', '.join(names)}" if names else otherwise
