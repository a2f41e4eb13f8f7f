"""The reference of what archc shows to the outside: its commands with their options, and its backends."""

import re
from typing import Any

from typer.main import get_command

from archc.backends import BACKENDS
from archc.backends.cli.app import app


def commands() -> str:
    """Every command, argument and option, as `--help` prints them."""
    group: Any = get_command(app)
    lines = [
        "# Commands",
        "",
        "Exit codes: 0 fine, 1 faults, 2 wrong usage. What a command finds goes to standard output; progress",
        "on long work to standard error, and only on a terminal. Colours obey `NO_COLOR` and pipes.",
        "",
        "`archc --version` prints archc's version. `--help`, or `-h`, prints the commands, and after a",
        "command its options.",
        "",
        "`archc --install-completion` installs completion for the shell it is run in, and",
        "`archc --show-completion` prints it.",
    ]
    for name, command in group.commands.items():
        lines += ["", f"## archc {name}", "", *_command(name, command)]
    return "\n".join(lines) + "\n"


def _command(name: str, command: Any) -> list[str]:
    usage = [_placeholder(p) for p in command.params if not p.opts[0].startswith("-")]
    lines = ["```text", " ".join(["archc", name, "[OPTIONS]", *usage]), "```", "", *_plain(command.help)]
    if command.params:
        lines += ["", "| argument or option | what |", "|---|---|"]
    return [*lines, *(_row(parameter) for parameter in command.params)]


def _placeholder(parameter: Any) -> str:
    text = (parameter.metavar or parameter.name.upper()).strip("[]")
    text = f"{text}…" if parameter.nargs == -1 else text
    return text if parameter.required else f"[{text}]"


def _row(parameter: Any) -> str:
    is_option = parameter.opts[0].startswith("-")
    takes = is_option and not getattr(parameter, "is_flag", False)
    metavar = (parameter.metavar or "").replace("|", "\\|")
    names = " ".join(f"`{name}`" for name in parameter.opts) if is_option else f"`{metavar}`"
    words = " ".join(_plain(parameter.help or ""))
    shown = parameter.show_default if isinstance(parameter.show_default, str) else ""
    is_told = parameter.show_default and parameter.default is not None and not parameter.required
    if shown == "." or (not shown and is_told and (takes or not is_option)):
        shown = f"`{shown or parameter.default}`"
    default = f" Unless said: {shown}." if shown else ""
    return f"| {names}{f' {metavar}' if takes else ''} | {words}{default} |"


def _plain(text: str) -> list[str]:
    """Help text without rich's markup and with its lines."""
    return re.sub(r"\[/?\w*\]", "", text).replace("\b", "").splitlines()


def outputs() -> str:
    """Every backend: its name for `--target`, what it writes and which platforms ask for it."""
    lines = [
        "# Backends",
        "",
        "What `archc build` writes, by the names that `--target` takes. A backend of the environment writes",
        "for one environment; a backend of the system writes the same whatever the environment.",
        "",
        "| backend | writes | for | on |",
        "|---|---|---|---|",
    ]
    for backend in BACKENDS:
        part = "the environment" if backend.part == "environment" else "the system"
        lines.append(f"| `{backend.name}` | {backend.doc} | {part} | {', '.join(backend.platforms)} |")
    return "\n".join(lines) + "\n"
