"""The reference of the bundled log broker: its options, its metrics and the settings of topics."""

from argparse import ArgumentParser, BooleanOptionalAction, _SubParsersAction
from collections.abc import Iterator
from typing import Any, cast

from archc.backends.broker.operations import command_line, state
from archc.backends.broker.operations.measures import Measures
from archc.backends.broker.operations.tools import asking, commands
from archc.backends.broker.topics.configs import TOPIC_CONFIGS


def log_broker() -> str:
    """The page, in Markdown."""
    lines = [
        "# The log broker",
        "",
        "How to run it and what to do with all this is in [the log broker](../broker.md).",
        "",
        "## archc broker",
        "",
        "| option | what |",
        "|---|---|",
        *_options(command_line.parser("archc broker")),
    ]
    common = list(_options(asking.connection()))
    lines += [
        "",
        "## Options of all tools that ask a running broker",
        "",
        "| option | what |",
        "|---|---|",
        *common,
    ]
    for usage, tool in _tools(commands.parser("archc broker")):
        rows = [row for row in _options(tool) if row not in common]
        lines += ["", f"## {usage}"]
        lines += ["", "| argument or option | what |", "|---|---|", *rows] if rows else []
    lines += ["", "## Metrics", "", "| metric | kind | labels | what |", "|---|---|---|---|"]
    lines += [
        f"| `{name}` | {kind} | {', '.join(f'`{label}`' for label in labels)} | {text} |"
        for name, kind, labels, text in metrics()
    ]
    lines += ["", "## Settings of topics", "", "| setting | unless said | what |", "|---|---|---|"]
    lines += [f"| `{config.name}` | `{config.default}` | {config.described} |" for config in TOPIC_CONFIGS]
    return "\n".join(lines) + "\n"


def metrics() -> list[tuple[str, str, tuple[str, ...], str]]:
    """The name, kind and labels of each metric, and what it says."""
    registry = Measures().registry
    # The state is looked at when it is asked for, which is never here.
    state.register(registry, cast(Any, None))
    return registry.described()


def _tools(parser: ArgumentParser) -> Iterator[tuple[str, ArgumentParser]]:
    """The parsers of all tools that do something themselves, with how they are called."""
    inner = [action for action in parser._actions if isinstance(action, _SubParsersAction)]
    if not inner:
        yield parser.prog, parser
    for action in inner:
        for child in action.choices.values():
            yield from _tools(child)


def _options(parser: ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if action.dest == "help":
            continue
        names = " ".join(f"`{name}`" for name in action.option_strings)
        takes = action.nargs != 0 and not isinstance(action, BooleanOptionalAction)
        choices = "|".join(map(str, action.choices or ()))
        value = str(action.metavar or choices or action.dest.upper()) if takes else ""
        shown = (names + (f" {value}" if names and value else "")) or f"`{value}`"
        text = (action.help or "").replace("%(default)s", str(action.default))
        needed = " Needed." if action.required and names else ""
        yield f"| {shown.replace('|', chr(92) + '|')} | {_sentence(text)}{needed} |"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""
