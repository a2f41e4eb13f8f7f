"""The model and every way out: what is generated, and the command line."""

from archc.backends.backend import Backend

BACKENDS: tuple[Backend, ...] = ()
