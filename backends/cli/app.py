"""The commands and their options: the public interface. What they do is in a module each, imported late."""

from pathlib import Path
from typing import Annotated

import typer

_EVERY_DAY = "Every day"
_LOOK = "Look at the system"
_RUN = "Run a part of it"
_LEARN = "Learn more"

_HELP = """\
One text file is the diagram, the checked architecture and the running system.

[bold]archc init shop[/] makes a first system.

[bold]archc check shop[/] says what is wrong with it.

[bold]archc build shop[/] writes everything that runs it.
"""
_EPILOG = "Exit codes: 0 fine, 1 faults, 2 wrong usage. Colours obey NO_COLOR."

app = typer.Typer(
    name="archc",
    help=_HELP,
    epilog=_EPILOG,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _environments() -> list[str]:
    from archc.backends.cli.compiling import environments_nearby

    return [*environments_nearby(Path()), "all"]


def _targets() -> list[str]:
    from archc.backends import BACKENDS

    return [backend.name for backend in BACKENDS]


def _path(text: str | Path) -> Path:
    """A path that is named: `Path("")` would be the current folder."""
    if text == "":
        raise typer.BadParameter("it is empty. The current folder is `.`")
    return Path(text)


Where = Annotated[
    Path, typer.Argument(metavar="PATH", help="An .arch file, or a folder of them.", parser=_path)
]
Environment = Annotated[
    str | None,
    typer.Option(
        "--env",
        metavar="NAME",
        help="The environment; `local` unless said, if there is one.",
        autocompletion=_environments,
        show_default=False,
    ),
]


def _show_version(wanted: bool) -> None:
    if wanted:
        from archc.backends.cli.main import version

        print(f"archc {version()}")
        raise typer.Exit


@app.callback()
def options(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, metavar="", help="Show the version."
        ),
    ] = False,
) -> None:
    """One text file is the diagram, the checked architecture and the running system."""


@app.command(rich_help_panel=_EVERY_DAY)
def init(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="The folder to begin in.", show_default=False, parser=_path),
    ],
    template: Annotated[
        str, typer.Option(metavar="NAME", help="What to begin with: minimal or shop.")
    ] = "minimal",
) -> None:
    """Make a first system that builds."""
    from archc.backends.cli.starting import start

    raise typer.Exit(start(folder, template))


@app.command(rich_help_panel=_EVERY_DAY)
def check(
    path: Where = Path(),
    environment: Environment = None,
    format_: Annotated[
        str, typer.Option("--format", metavar="text|json|sarif|junit", help="How to say it.")
    ] = "text",
    strict: Annotated[bool, typer.Option("--strict", metavar="", help="Treat warnings as errors.")] = False,
    fix: Annotated[
        bool,
        typer.Option(
            "--fix", metavar="", help="Apply the automatic fixes; show the suggested ones as patches."
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            metavar="",
            help="With --fix: write nothing; show what would change, and exit 1 if anything.",
        ),
    ] = False,
    baseline: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Report only what this baseline does not accept.",
            parser=_path,
            show_default=False,
        ),
    ] = None,
    write_baseline: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Accept what is found today in this file, for --baseline.",
            parser=_path,
            show_default=False,
        ),
    ] = None,
) -> None:
    """Say what is wrong, all of it at once, and what to write instead.

    The rules look at a system whose text has no faults. Where it has any, all of
    them are told, and that the rules were not run.

    `--env all` checks every environment. A fix that would add a finding in any
    environment is left out. Faults of the language, and what `allow` may not
    accept, are reported whatever a baseline says.
    """
    from archc.backends.cli.checking import Wishes
    from archc.backends.cli.checking import check as run

    raise typer.Exit(run(path, Wishes(environment, format_, strict, fix, dry_run, baseline, write_baseline)))


@app.command(rich_help_panel=_EVERY_DAY)
def build(
    path: Where = Path(),
    environment: Environment = None,
    target: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[,NAME]",
            help="Only these backends.",
            autocompletion=_targets,
            show_default="those of the platform",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where to write.", show_default="PATH's folder", parser=_path),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check", metavar="", help="Write nothing; say what would change, and exit 1 if anything."
        ),
    ] = False,
) -> None:
    """Write everything that runs the system.

    Files that a person edited are never overwritten: what archc would write
    goes beside them, as FILE.archc-new, and the exit code is 1. `--env all`
    builds every environment.
    """
    from archc.backends.cli.building import build as run

    raise typer.Exit(run(path, environment, target, out, check))


@app.command(rich_help_panel=_EVERY_DAY)
def fmt(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH", help="Files, or folders of them.", show_default=".", parser=_path),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check", metavar="", help="Write nothing; show what would change, and exit 1 if anything."
        ),
    ] = False,
) -> None:
    """Bring .arch files into the one style."""
    from archc.backends.cli.formatting import format_files

    raise typer.Exit(format_files(paths or [Path()], check))


@app.command(rich_help_panel=_LOOK)
def diagram(
    path: Where = Path(),
    environment: Environment = None,
    view: Annotated[
        str,
        typer.Option(metavar="VIEW", help="context, containers, deployment, events or domain:NAME."),
    ] = "containers",
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="svg, png, pdf, dot, mermaid or json.",
            show_default="FILE's ending, else svg",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where to draw.",
            show_default="standard output",
            parser=_path,
        ),
    ] = None,
) -> None:
    """Draw a view of the system.

    One environment at a time: `--env all` is for `check` and `build`.
    """
    from archc.backends.cli.drawing import draw

    raise typer.Exit(draw(path, environment, view, format_, output))


@app.command(rich_help_panel=_LOOK)
def graph(
    path: Where = Path(),
    environment: Environment = None,
    format_: Annotated[str, typer.Option("--format", metavar="json", help="How to print it.")] = "json",
) -> None:
    """Print the system's elements and the edges between them.

    One environment at a time: `--env all` is for `check` and `build`.
    """
    from archc.backends.cli.checking import graph as run

    raise typer.Exit(run(path, environment, format_))


@app.command(
    rich_help_panel=_RUN,
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def broker(context: typer.Context) -> None:
    """Run the bundled log broker, or look after one that runs.

    `archc broker --data DIR --listen HOST:PORT` serves Kafka's protocol;
    `archc broker topics|groups|offsets|dump|verify|user` are its tools.
    Each tells its options after `--help`.
    """
    import gc

    from archc.backends.broker.operations.command_line import main

    gc.enable()  # unlike the other commands, it may run for months
    raise typer.Exit(main(context.args, "archc broker"))


@app.command(rich_help_panel=_LEARN)
def explain(
    subject: Annotated[
        str,
        typer.Argument(
            metavar="CODE|KIND|STATEMENT",
            help="A code such as A101, a kind such as service, or a statement such as rules.",
        ),
    ],
) -> None:
    """Explain a rule, a fault, a kind or a statement."""
    from archc.backends.cli.explaining import explain as run

    raise typer.Exit(run(subject))


@app.command(rich_help_panel=_LEARN)
def rules(
    format_: Annotated[str, typer.Option("--format", metavar="text|json", help="How to list them.")] = "text",
) -> None:
    """List the rules and how much each weighs in each profile."""
    from archc.backends.cli.explaining import list_rules

    raise typer.Exit(list_rules(format_))


@app.command(rich_help_panel=_LEARN)
def doctor() -> None:
    """Say which programs are there that archc and its output can use."""
    from archc.backends.cli.doctor import examine

    raise typer.Exit(examine())
