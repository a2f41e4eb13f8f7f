"""The model and every way out: what is generated, and the command line."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from archc.backends.backend import Backend

    BACKENDS: tuple[Backend, ...]


def __getattr__(name: str) -> object:
    """BACKENDS, imported when first asked for: `archc check` needs no backend, and the import costs time."""
    if name != "BACKENDS":
        raise AttributeError(name)
    from archc.backends import (
        compose,
        contracts,
        diagram,
        frontends,
        gateway,
        identity,
        kubernetes,
        logbroker,
        management,
        registry,
        services,
        stores,
    )

    return (
        compose.BACKEND,
        kubernetes.BACKEND,
        gateway.BACKEND,
        identity.BACKEND,
        registry.BACKEND,
        stores.BACKEND,
        logbroker.BACKEND,
        management.BACKEND,
        frontends.BACKEND,
        services.BACKEND,
        contracts.BACKEND,
        diagram.BACKEND,
    )
