"""The tools on the command line."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...settings import Address
from .client import Access, Client, ToolError
from .groups import delete_group, describe_group, list_groups, reset_group
from .offsets import list_offsets, parse_time
from .output import Row, show
from .topics import alter_topic, create_topic, delete_topic, describe_topic, list_topics, partitions_of
from .users import put_user, remove_user, show_user

if TYPE_CHECKING:
    _Actions = argparse._SubParsersAction[argparse.ArgumentParser]

Action = Callable[[argparse.Namespace], int]


def run(arguments: Sequence[str], program: str) -> int:
    """Run a tool; the exit code. Raises SystemExit after wrong usage."""
    said = _parser(program).parse_args(arguments)
    action: Action = said.action
    try:
        return action(said)
    except ToolError as problem:
        print(f"error: {problem}", file=sys.stderr)
    except BrokenPipeError:
        raise
    except OSError as problem:
        print(f"error: {problem.filename}: {problem.strerror}", file=sys.stderr)
    return 1


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(program)
    tools = parser.add_subparsers(required=True)
    _add_topics(tools.add_parser("topics", help="list, describe, create, alter and delete topics"))
    _add_groups(tools.add_parser("groups", help="list, describe, reset and delete consumer groups"))
    _add_offsets(tools.add_parser("offsets", help="the offsets of partitions"))
    _add_user(tools.add_parser("user", help="a line of the users file, made from a password"))
    return parser


# ---- tools that keep files


def _add_user(parser: argparse.ArgumentParser) -> None:
    parser.description = "The password is asked for, or the first line of standard input."
    parser.set_defaults(action=_user)
    parser.add_argument("name")
    parser.add_argument(
        "--file",
        metavar="FILE",
        type=Path,
        help="put the line into this file, in place of the user's old one",
    )
    parser.add_argument("--remove", action="store_true", help="take the user out of the file instead")


def _user(said: argparse.Namespace) -> int:
    if said.remove and said.file is None:
        raise ToolError("--remove needs --file")
    if said.file is None:
        show_user(said.name)
    elif said.remove:
        remove_user(said.name, said.file)
    else:
        put_user(said.name, said.file)
    return 0


# ---- tools that ask a running broker


def _add_topics(parser: argparse.ArgumentParser) -> None:
    actions = _actions(parser)
    _command(actions, "list", "all topics", lambda client, said: list_topics(client))
    describe = _command(
        actions, "describe", "a topic's partitions", lambda client, said: describe_topic(client, said.name)
    )
    describe.add_argument("name")
    create = _command(
        actions, "create", "make a topic",
        lambda client, said: create_topic(client, said.name, said.partitions, dict(said.config)),
    )  # fmt: skip
    alter = _command(
        actions, "alter", "give a topic more partitions, or other configs",
        lambda client, said: alter_topic(client, said.name, said.partitions, dict(said.config), said.unset),
    )  # fmt: skip
    for command in (create, alter):
        command.add_argument("name")
        command.add_argument("--partitions", metavar="N", type=int)
        command.add_argument(
            "--config", metavar="NAME=VALUE", type=_pair, action="append", default=[],
            help="such as retention.ms=86400000; again for another",
        )  # fmt: skip
    alter.add_argument(
        "--unset", metavar="NAME", action="append", default=[], help="a config's default again"
    )
    delete = _command(
        actions, "delete", "delete a topic and all it holds",
        lambda client, said: delete_topic(client, said.name),
    )  # fmt: skip
    delete.add_argument("name")


def _add_groups(parser: argparse.ArgumentParser) -> None:
    actions = _actions(parser)
    _command(actions, "list", "all groups", lambda client, said: list_groups(client))
    describe = _command(
        actions, "describe", "a group's offsets and lag",
        lambda client, said: describe_group(client, said.name),
    )  # fmt: skip
    describe.add_argument("name")
    reset = _command(actions, "reset", "set a group's offsets in a topic", _reset)
    reset.add_argument("name")
    reset.add_argument("--topic", metavar="NAME", required=True)
    reset.add_argument("--to", metavar="WHERE", required=True, help="an offset, earliest, latest or a time")
    delete = _command(
        actions, "delete", "forget a group and its offsets",
        lambda client, said: delete_group(client, said.name),
    )  # fmt: skip
    delete.add_argument("name")


def _reset(client: Client, said: argparse.Namespace) -> list[Row]:
    offset = int(said.to) if said.to.isascii() and said.to.isdigit() else None
    time_ms = parse_time(said.to) if offset is None else None
    return reset_group(client, said.name, said.topic, time_ms, offset)


def _add_offsets(parser: argparse.ArgumentParser) -> None:
    _asks(
        parser,
        lambda client, said: list_offsets(client, partitions_of(client, [said.topic]), parse_time(said.at)),
    )
    parser.add_argument("topic")
    parser.add_argument(
        "--at", metavar="TIME", default="latest",
        help="earliest, latest, max-timestamp, or a time such as 2026-07-01T09:30 (%(default)s)",
    )  # fmt: skip


Asking = Callable[[Client, argparse.Namespace], Sequence[Row] | str]


def _actions(parser: argparse.ArgumentParser) -> "_Actions":
    return parser.add_subparsers(required=True, metavar="ACTION")


def _command(actions: "_Actions", name: str, text: str, ask: Asking) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=text)
    _asks(parser, ask)
    return parser


def _asks(parser: argparse.ArgumentParser, ask: Asking) -> None:
    """Let a parser's arguments say which broker to ask, and show what `ask` finds there."""

    def action(said: argparse.Namespace) -> int:
        with Client(_access(said)) as client:
            found = ask(client, said)
        if isinstance(found, str):
            print(found)
        else:
            show(found, said.format == "json")
        return 0

    parser.set_defaults(action=action)
    parser.add_argument(
        "--bootstrap", metavar="HOST:PORT", type=_address, default=Address("127.0.0.1", 9092),
        help="where the broker listens (%(default)s)",
    )  # fmt: skip
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--user", metavar="NAME", default="", help="log in by SCRAM-SHA-256")
    parser.add_argument(
        "--password-file", metavar="FILE", type=Path, help="the file with the user's password"
    )
    parser.add_argument("--tls", action="store_true", help="speak TLS")
    parser.add_argument("--ca", metavar="FILE", type=Path, help="trust this certificate authority besides")


def _access(said: argparse.Namespace) -> Access:
    if bool(said.user) != bool(said.password_file):
        raise ToolError("--user and --password-file go together")
    password = read_password(said.password_file) if said.password_file else ""
    return Access(said.bootstrap, said.user, password, said.tls or bool(said.ca), said.ca)


def read_password(file: Path) -> str:
    """The password in a file, without its line's end. Raises OSError and ToolError."""
    try:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    except UnicodeDecodeError as problem:
        raise ToolError(f"{file} is not UTF-8") from problem


def _address(text: str) -> Address:
    try:
        return Address.parse(text)
    except ValueError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from problem


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"`{text}` is not NAME=VALUE")
    return name, value
