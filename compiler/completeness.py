"""What a statement asks for that must be declared elsewhere: a broker, a database, a folder of code."""

from collections.abc import Iterator

from archc.compiler import model
from archc.compiler.graph import operations
from archc.dsl.diagnostics import Diagnostic, error

# The language whose code archc generates.
GENERATED = "python"


def check(system: model.System) -> Iterator[Diagnostic]:
    """The faults of what is asked for and not there. All are A1713."""
    yield from _topics_without_broker(system)
    for code in system.all(model.Code):
        yield from _foreign_code(code)
        yield from _outbox_without_database(system, code)
        yield from _timers_of_generated_code(code)


def _topics_without_broker(system: model.System) -> Iterator[Diagnostic]:
    for topic in system.all(model.Topic):
        if not topic.on:
            message = f"no broker carries `{topic.id}`"
            yield error("A1713", topic.span, message, hint="declare one in the system: `broker events`")


def _foreign_code(code: model.Code) -> Iterator[Diagnostic]:
    if code.language not in ("", GENERATED) and not code.image and code.build is None:
        message = f"`{code.id}` is written in {code.language}, but nothing says where its code is"
        hint = f'add `build "./{code.name}"`, a folder with a Dockerfile, or an `image`'
        yield error("A1713", code.place("language"), message, hint=hint)


def _outbox_without_database(system: model.System, code: model.Code) -> Iterator[Diagnostic]:
    """The outbox is a table beside the data; an image or a build folder keeps it where it likes."""
    if code.image or code.build is not None:
        return
    stores = (system[use.store] for use in (*code.owns, *code.uses))
    if any(isinstance(store, model.Database) for store in stores):
        return
    inner = (publish for operation in operations(code) for publish in operation.publishes)
    for publish in (*code.publishes, *inner):
        if publish.via == "outbox":
            message = f"`{code.id}` has no database to keep the outbox of `{publish.topic}` in"
            hint = "let it own a database, or publish without `via=outbox`"
            yield error("A1713", publish.span, message, hint=hint)


def _timers_of_generated_code(code: model.Code) -> Iterator[Diagnostic]:
    """A timer says what other people's code does; generated code has none."""
    if code.image or code.build is not None:
        return
    for timer in code.timer:
        message = f"generated code has no timers, and `{code.id}` has `{timer.name}`"
        hint = f'make it a job: `job {timer.name} {{ schedule "{timer.cron}" }}`'
        yield error("A1713", timer.span, message, hint=hint)
