"""The command line of the tools that ask a running broker: topics, groups, offsets."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...settings import Address
from .client import Access, Client, ToolError
from .groups import delete_group, describe_group, is_known, list_groups, reset_group
from .offsets import list_offsets, parse_time
from .output import Row, show
from .topics import (
    alter_topic,
    create_topic,
    delete_topic,
    describe_topic,
    list_topics,
    partitions_of,
)

if TYPE_CHECKING:
    _Actions = argparse._SubParsersAction[argparse.ArgumentParser]

Asking = Callable[[Client, argparse.Namespace], Sequence[Row] | str]

_INT_MAX = 2**31 - 1


def add_topics(parser: argparse.ArgumentParser) -> None:
    """`topics`, with an action each."""
    actions = _actions(parser)
    _action(actions, "list", "all topics", lambda client, said: list_topics(client))
    describe = _action(
        actions, "describe", "a topic's partitions", lambda client, said: describe_topic(client, said.name)
    )
    create = _action(
        actions, "create", "make a topic",
        lambda client, said: create_topic(client, said.name, said.partitions, dict(said.config)),
    )  # fmt: skip
    alter = _action(
        actions, "alter", "give a topic more partitions, or other settings",
        lambda client, said: alter_topic(client, said.name, said.partitions, dict(said.config), said.unset),
    )  # fmt: skip
    delete = _action(
        actions, "delete", "delete a topic and all it holds",
        lambda client, said: delete_topic(client, said.name),
    )  # fmt: skip
    for command in (describe, create, alter, delete):
        command.add_argument("name", metavar="NAME", help="the topic")
    for command in (create, alter):
        command.add_argument("--partitions", metavar="N", type=_count, help="how many partitions it is to have")
        command.add_argument(
            "--config", metavar="NAME=VALUE", type=_pair, action="append", default=[],
            help="a setting such as retention.ms=86400000; again for another",
        )  # fmt: skip
    alter.add_argument(
        "--unset", metavar="NAME", action="append", default=[],
        help="the setting has its default again; again for another",
    )  # fmt: skip


def add_groups(parser: argparse.ArgumentParser) -> None:
    """`groups`, with an action each."""
    actions = _actions(parser)
    _action(actions, "list", "all groups", lambda client, said: list_groups(client))
    describe = _action(
        actions, "describe", "a group's offsets and lag",
        lambda client, said: describe_group(client, said.name),
    )  # fmt: skip
    reset = _action(actions, "reset", "have a group go on elsewhere in a topic", _reset)
    delete = _action(
        actions, "delete", "forget a group and its offsets",
        lambda client, said: delete_group(client, said.name),
    )  # fmt: skip
    for command in (describe, reset, delete):
        command.add_argument("name", metavar="NAME", help="the group")
    reset.add_argument("--topic", metavar="NAME", required=True, help="the topic")
    reset.add_argument(
        "--to", metavar="WHERE", required=True,
        help="an offset, earliest, latest, or a time such as 2026-07-01T09:30 (UTC unless it says)",
    )  # fmt: skip


def add_offsets(parser: argparse.ArgumentParser) -> None:
    """`offsets`."""
    _ask_with(
        parser,
        lambda client, said: list_offsets(client, partitions_of(client, [said.topic]), parse_time(said.at)),
    )
    parser.add_argument("topic", metavar="TOPIC", help="the topic")
    parser.add_argument(
        "--at", metavar="TIME", default="latest",
        help="earliest, latest, max-timestamp, or a time such as 2026-07-01T09:30 (%(default)s)",
    )  # fmt: skip


def connection() -> argparse.ArgumentParser:
    """The options that all these tools have: which broker to ask, as whom, and how to show the answer."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--bootstrap", metavar="HOST:PORT", type=_address, default=Address("127.0.0.1", 9092),
        help="where the broker listens (%(default)s)",
    )  # fmt: skip
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how to show it (%(default)s)")
    parser.add_argument("--user", metavar="NAME", default="", help="log in by SCRAM-SHA-256")
    parser.add_argument("--password-file", metavar="FILE", type=Path, help="the file with the user's password")
    parser.add_argument("--tls", action="store_true", help="speak TLS")
    parser.add_argument(
        "--ca", metavar="FILE", type=Path, help="trust this certificate authority instead of the system's"
    )
    parser.add_argument("--certificate", metavar="FILE", type=Path, help="show this certificate to the broker")
    parser.add_argument("--key", metavar="FILE", type=Path, help="the certificate's key, if it is not with it")
    return parser


def _actions(parser: argparse.ArgumentParser) -> "_Actions":
    return parser.add_subparsers(required=True, metavar="ACTION")


def _action(actions: "_Actions", name: str, text: str, ask: Asking) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=text, description=text, parents=[connection()])
    _ask_with(parser, ask)
    return parser


def _ask_with(parser: argparse.ArgumentParser, ask: Asking) -> None:
    """Show what `ask` finds at the broker that the arguments name."""

    def action(said: argparse.Namespace) -> int:
        with Client(_access(said)) as client:
            found = ask(client, said)
        if isinstance(found, str):
            print(found)
        else:
            show(found, said.format == "json")
        return 0

    parser.set_defaults(action=action)


def _reset(client: Client, said: argparse.Namespace) -> list[Row]:
    offset = int(said.to) if said.to.isascii() and said.to.isdigit() else None
    time_ms = parse_time(said.to) if offset is None else None
    if not is_known(client, said.name):
        print(f"note: there was no group `{said.name}`; it is made", file=sys.stderr)
    return reset_group(client, said.name, said.topic, time_ms, offset)


def _access(said: argparse.Namespace) -> Access:
    if bool(said.user) != bool(said.password_file):
        raise ToolError("--user and --password-file go together")
    password = _password(said.password_file) if said.password_file else ""
    if said.key and not said.certificate:
        raise ToolError("--key needs --certificate")
    is_tls = said.tls or bool(said.ca) or bool(said.certificate)
    return Access(said.bootstrap, said.user, password, is_tls, said.ca, said.certificate, said.key)


def _password(file: Path) -> str:
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


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= _INT_MAX:
        raise argparse.ArgumentTypeError(f"`{text}` is no number of partitions")
    return int(text)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"`{text}` is not NAME=VALUE")
    return name, value
