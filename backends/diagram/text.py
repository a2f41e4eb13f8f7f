"""User text on its way into a picture: what cannot be shown is taken out, what is too long is cut."""

import re
import textwrap

ELLIPSIS = "…"
NO_BREAK = "\u00a0"
NAME_WIDTH = 40
NOTE_WIDTH = 28
TECHNOLOGY_WIDTH = 34
NOTE_LINES = 3


# What no XML may hold, and what reorders or hides other text: control characters, soft hyphens, zero-width
# and bidirectional controls, separators, lone surrogates, tags and noncharacters.
_HIDDEN = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\xad\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ud800-\\udfff\\ufdd0-\\ufdef"
    "\\ufeff\\ufff0-\\ufff8\\ufffe\\uffff\\U000e0000-\\U000e0fff"
    + "".join(f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(1, 17))
    + "]"
)


def clean(text: str) -> str:
    """The text on one line, without characters that control, reorder or hide other text."""
    return " ".join(_HIDDEN.sub(" ", text).split())


def short(text: str, width: int) -> str:
    """The text on one line of at most `width` characters."""
    text = clean(text)
    return text if len(text) <= width else text[: width - 1].rstrip() + ELLIPSIS


def wrapped(text: str, width: int, lines: int) -> tuple[str, ...]:
    """The text on at most `lines` lines of `width` characters; what does not fit ends in an ellipsis."""
    return _wrap(clean(text), width, lines)


def _wrap(text: str, width: int, lines: int) -> tuple[str, ...]:
    if len(text) <= width:
        return (text,) if text else ()
    return tuple(textwrap.wrap(text, width, max_lines=lines, placeholder=ELLIPSIS))


def wrapped_parts(text: str, width: int, lines: int) -> tuple[str, ...]:
    """The same for parts set off by ` · `, which is where lines break as long as the parts are short."""
    glued = [part.replace(" ", NO_BREAK) if len(part) < width else part for part in clean(text).split(" · ")]
    return _wrap(f"{NO_BREAK}· ".join(glued), width, lines)


_DURATIONS = ((86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1_000, "second"))


def duration(time_ms: int) -> str:
    """A time in its largest whole unit: `7 days`, `90 seconds`, `300 ms`."""
    for unit_ms, word in _DURATIONS:
        if time_ms and time_ms % unit_ms == 0:
            return counted(time_ms // unit_ms, word)
    return f"{time_ms} ms"


def counted(count: int, word: str) -> str:
    """A number and its noun: `1 topic`, `2 topics`."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
