"""`python -m logbroker`: the broker, or one of its tools."""

import sys

from .operations.command_line import main


def _serve(settings: object) -> int:
    from .broker import serve

    return serve(settings)  # type: ignore[arg-type]


sys.exit(main(sys.argv[1:], _serve))
