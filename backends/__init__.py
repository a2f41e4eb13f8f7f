"""The model and every way out: what is generated, and the command line."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archc.backends.backend import Backend

    BACKENDS: tuple[Backend, ...]


def __getattr__(name: str) -> object:
    """BACKENDS, imported when first asked for: `archc check` needs no backend, and the import costs time."""
    if name != "BACKENDS":
        raise AttributeError(name)
    from archc.backends import gateway, kubernetes

    return (gateway.BACKEND, kubernetes.BACKEND)
