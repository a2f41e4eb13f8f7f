"""The command line: the broker itself, and the tools.

    python -m logbroker --data DIR --listen HOST:PORT …     serve
    python -m logbroker topics|groups|offsets …             ask a running broker
    python -m logbroker dump|verify …                       look at files
    python -m logbroker user …                              keep the file of users

Exit codes: 0 fine, 1 faults, 2 wrong usage.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from ..settings import Address, Flush, Limits, Settings, Tls
from .logs import LEVELS

TOOLS = ("topics", "groups", "offsets", "dump", "verify", "user")
PROGRAM = "logbroker"
_GROUP_DELAY_MAX_MS = 60_000
T = TypeVar("T")


def main(arguments: Sequence[str], program: str = PROGRAM) -> int:
    """Run a tool, or the broker; the exit code. Raises SystemExit after wrong usage, and after --help."""
    if arguments and arguments[0] in TOOLS:
        from .tools.commands import run

        return run(arguments, program)
    if arguments and not arguments[0].startswith("-"):
        parser(program).error(f"there is no tool `{arguments[0]}`: {', '.join(TOOLS)}")
    settings = settings_of(arguments, program)
    from ..broker import serve

    return serve(settings)


def settings_of(arguments: Sequence[str], program: str = PROGRAM) -> Settings:
    """The settings that arguments name. Raises SystemExit, after saying what is wrong with them."""
    options = parser(program)
    said = options.parse_args(arguments)
    if bool(said.tls_certificate) != bool(said.tls_key):
        options.error("--tls-certificate and --tls-key go together")
    if said.tls_ca and not said.tls_certificate:
        options.error("--tls-ca needs --tls-certificate")
    return Settings(
        data=said.data,
        listen=said.listen,
        advertise=said.advertise,
        flush=said.flush,
        http=said.http,
        tls=Tls(said.tls_certificate, said.tls_key, said.tls_ca) if said.tls_certificate else None,
        users=said.users,
        topics=said.topics,
        auto_create_topics=said.auto_create_topics,
        default_partitions=said.default_partitions,
        group_rebalance_delay_ms=said.group_rebalance_delay,
        log_level=said.log_level,
    )


def parser(program: str) -> argparse.ArgumentParser:
    """The options of the broker itself."""
    parser = argparse.ArgumentParser(
        program,
        description="A log broker that speaks Kafka's protocol, on one node.",
        epilog=f"Tools: {program} {'|'.join(TOOLS)}. Each tells more with --help.",
    )
    add = parser.add_argument
    add("--data", metavar="DIR", type=Path, required=True, help="the folder of everything it keeps")
    add(
        "--listen", metavar="HOST:PORT", type=_value(Address.parse), default=Address("127.0.0.1", 9092),
        help="where it listens (%(default)s)",
    )  # fmt: skip
    add(
        "--advertise", metavar="HOST:PORT", type=_value(Address.parse),
        help="where clients are told to connect to (as --listen)",
    )  # fmt: skip
    add(
        "--flush", metavar="WHEN", type=_value(Flush.parse), default=Flush(),
        help="when what was written is forced to the disk: always, interval:MS or none (%(default)s)",
    )  # fmt: skip
    add("--http", metavar="HOST:PORT", type=_value(Address.parse), help="metrics and health over HTTP")
    add("--users", metavar="FILE", type=Path, help="SCRAM users; with it, everybody has to log in")
    add("--topics", metavar="FILE", type=Path, help="topics to make at start, in JSON")
    add(
        "--auto-create-topics", action=argparse.BooleanOptionalAction, default=True,
        help="make a topic when a client first asks for it (made unless told not to)",
    )  # fmt: skip
    add(
        "--default-partitions", metavar="N", type=_value(_count), default=1,
        help="partitions of a topic made without saying how many (%(default)s)",
    )  # fmt: skip
    add(
        "--group-rebalance-delay", metavar="MS", type=_value(_delay_ms), default=0,
        help="how long an empty group waits for more members before partitions are shared out (%(default)s)",
    )  # fmt: skip
    add("--tls-certificate", metavar="FILE", type=Path, help="speak TLS with this chain of certificates")
    add("--tls-key", metavar="FILE", type=Path, help="the certificate's private key")
    add("--tls-ca", metavar="FILE", type=Path, help="let in only clients with a certificate by this authority")
    add("--log-level", choices=LEVELS, default="info", help="what is logged (%(default)s)")
    return parser


def _value(parse: Callable[[str], T]) -> Callable[[str], T]:
    """The parser of an argument whose ValueError says what is wrong."""

    def read(text: str) -> T:
        try:
            return parse(text)
        except ValueError as problem:
            raise argparse.ArgumentTypeError(str(problem)) from problem

    return read


def _delay_ms(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > _GROUP_DELAY_MAX_MS:
        raise ValueError(f"`{text}` is no number of milliseconds up to {_GROUP_DELAY_MAX_MS}")
    return int(text)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= Limits().partitions:
        raise ValueError(f"`{text}` is no number of partitions: 1 to {Limits().partitions}")
    return int(text)
