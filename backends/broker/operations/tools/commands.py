"""The tools on the command line."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from .asking import add_groups, add_offsets, add_topics, connection
from .client import ToolError
from .dump import dump, shown
from .users import put_user, remove_user, show_user
from .verify import verify

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
    _add_dump(tools.add_parser("dump", help="what is in a file of a data folder"))
    _add_verify(tools.add_parser("verify", help="check the data folder of a broker that is stopped"))
    _add_user(tools.add_parser("user", help="a line of the users file, made from a password"))
    return parser


def _add_dump(parser: argparse.ArgumentParser) -> None:
    parser.description = "An entry a line: batches of a segment, entries of an index, producers."
    parser.set_defaults(action=_dump)
    parser.add_argument(
        "file",
        metavar="FILE",
        type=Path,
        help="a .log, .index, .timeindex, .txnindex or .snapshot file of a partition",
    )
    parser.add_argument("--records", action="store_true", help="a segment's records, too")
    _add_format(parser)


def _dump(said: argparse.Namespace) -> int:
    for entry in dump(said.file, said.records):
        print(shown(entry, said.format == "json"))
    return 0


def _add_verify(parser: argparse.ArgumentParser) -> None:
    parser.description = "Every checksum, every offset, every entry of every index. Changes nothing."
    parser.set_defaults(action=_verify)
    parser.add_argument("folder", metavar="DIR", type=Path, help="what the broker was given as --data")
    _add_format(parser)


def _verify(said: argparse.Namespace) -> int:
    report = verify(said.folder)
    if said.format == "json":
        print(json.dumps(asdict(report), indent=2))
    else:
        for finding in report.findings:
            at = "" if finding.position is None else f": byte {finding.position}"
            kind = "damage" if finding.is_damage else "note"
            print(f"{kind}: {finding.path}{at}: {finding.text}")
        print(
            f"{report.partitions} partitions, {report.segments} segments, {report.batches} batches, "
            f"{report.bytes} bytes: {'no damage' if report.is_well else 'damaged'}"
        )
    return 0 if report.is_well else 1


def _add_format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how to show it (%(default)s)")


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
