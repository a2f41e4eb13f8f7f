"""The libraries of generated programs, each in the version the outputs were tried with.

One table for all: a program's requirements are what it uses and everything that needs in turn.
"""

from collections.abc import Iterable

# Version, and the libraries it needs; as the package index of November 2026 resolves them for Python 3.11+.
_PACKAGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "aiokafka": ("0.14.0", ("async-timeout", "packaging", "typing_extensions")),
    "aiomysql": ("0.3.2", ("PyMySQL",)),
    "aiosqlite": ("0.22.1", ()),
    "annotated-doc": ("0.0.7", ()),
    "annotated-types": ("0.8.0", ()),
    "anyio": ("4.16.0", ("idna", "typing_extensions")),
    "async-timeout": ("5.0.1", ()),
    "asyncpg": ("0.32.0", ()),
    "certifi": ("2026.10.18", ()),
    "cffi": ("2.1.1", ("pycparser",)),
    "click": ("8.5.1", ()),
    "cryptography": ("50.0.2", ("cffi",)),
    "fastapi": (
        "0.165.0",
        ("annotated-doc", "anyio", "opentelemetry-api", "pydantic", "starlette", "typing_extensions",
         "typing-inspection"),
    ),
    "greenlet": ("3.5.6", ()),
    "grpcio": ("1.85.1", ("typing_extensions",)),
    "grpcio-health-checking": ("1.85.1", ("grpcio", "protobuf")),
    "h11": ("0.16.0", ()),
    "httpcore": ("1.0.9", ("certifi", "h11")),
    "httpx": ("0.28.1", ("anyio", "certifi", "httpcore", "idna")),
    "idna": ("3.20", ()),
    "joserfc": ("1.8.0", ("cryptography",)),
    "opentelemetry-api": ("1.45.2", ("typing_extensions",)),
    "packaging": ("26.3", ()),
    "prometheus_client": ("0.26.0", ()),
    "protobuf": ("7.36.2", ()),
    "pycparser": ("3.12", ()),
    "pydantic": ("2.14.3", ("annotated-types", "pydantic_core", "typing_extensions", "typing-inspection")),
    "pydantic_core": ("2.50.4", ("typing_extensions",)),
    "PyMySQL": ("1.2.4", ()),
    "redis": ("8.1.0", ("async-timeout",)),
    "SQLAlchemy": ("2.1.9", ("greenlet", "typing_extensions")),
    "starlette": ("1.10.0", ("anyio", "typing_extensions")),
    "typing-inspection": ("0.4.5", ("typing_extensions",)),
    "typing_extensions": ("4.16.0", ()),
    "uvicorn": ("0.54.0", ("click", "h11")),
}  # fmt: skip

# What a library must be asked for besides itself.
_EXTRAS = {"SQLAlchemy": "[asyncio]"}


def pinned(wanted: Iterable[str]) -> tuple[str, ...]:
    """`name==version` of some libraries and of all they need, by name."""
    found: set[str] = set()
    left = list(wanted)
    while left:
        package = left.pop()
        if package not in found:
            found.add(package)
            left += _PACKAGES[package][1]
    return tuple(f"{package}=={_PACKAGES[package][0]}" for package in sorted(found, key=str.lower))


def required(wanted: Iterable[str]) -> tuple[str, ...]:
    """`name>=version` of some libraries, by name: what a program's own project asks for."""
    return tuple(
        f"{package}{_EXTRAS.get(package, '')}>={_PACKAGES[package][0]}"
        for package in sorted(set(wanted), key=str.lower)
    )
