"""Configuration that is not data, rendered from the templates of this folder."""

import re
from functools import cache
from typing import Any

# What a template may write: words that mean nothing to nginx, HAProxy, Varnish or a shell.
_HARMLESS = re.compile(r"[A-Za-z0-9_.:*/-]*")


class Pattern(str):
    """A regular expression, as code made it: literals in it are escaped."""

    __slots__ = ()


def render(name: str, **values: object) -> str:
    """A template with its values. Raises ValueError if one of them is not what a template may write."""
    text: str = _environment().get_template(name).render(**values)
    return text


@cache
def _environment() -> Any:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.PackageLoader("archc.backends.gateway"),
        undefined=jinja2.StrictUndefined,
        finalize=_harmless,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _harmless(value: Any) -> Any:
    if isinstance(value, int | Pattern) or (isinstance(value, str) and _HARMLESS.fullmatch(value)):
        return value
    raise ValueError(f"a template may not write {value!r}")
