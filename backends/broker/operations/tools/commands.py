"""The tools on the command line."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from .asking import add_groups, add_offsets, add_topics, connection
from .client import ToolError
from .users import put_user, remove_user, show_user

Action = Callable[[argparse.Namespace], int]


def run(arguments: Sequence[str], program: str) -> int:
    """Run a tool; the exit code. Raises SystemExit after wrong usage."""
    said = parser(program).parse_args(arguments)
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


def parser(program: str) -> argparse.ArgumentParser:
    """The options of all tools."""
    parser = argparse.ArgumentParser(program)
    tools = parser.add_subparsers(required=True)
    add_topics(tools.add_parser("topics", help="list, describe, create, alter and delete topics"))
    add_groups(tools.add_parser("groups", help="list, describe, reset and delete consumer groups"))
    add_offsets(tools.add_parser("offsets", help="the offsets of partitions", parents=[connection()]))
    _add_user(tools.add_parser("user", help="a line of the users file, made from a password"))
    return parser


def _add_user(parser: argparse.ArgumentParser) -> None:
    parser.description = "The password is asked for, or the first line of standard input."
    parser.set_defaults(action=_user)
    parser.add_argument("name", metavar="NAME", help="the user")
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
