"""Names of the file as other languages need them: Python's, and the environment's.

A name of the file is a DNS label, a field name or a PascalCase word. What comes out of here is an ASCII
identifier that is no keyword, shadows no builtin and collides with nothing beside it.
"""

import builtins
import keyword
import re
from collections.abc import Collection, Hashable, Iterable
from functools import cache
from typing import TypeVar

from archc.compiler import model

K = TypeVar("K", bound=Hashable)

# site adds the last of these, so that dir(builtins) alone depends on how Python was started.
_BUILTINS = frozenset(name for name in dir(builtins) if name.islower()) | frozenset(
    ("copyright", "credits", "exit", "help", "license", "quit")
)
_KEYWORDS = frozenset(keyword.kwlist) | frozenset(word.lower() for word in keyword.kwlist)

# Top-level modules that a package must not hide: the standard library's of Python 3.11 to 3.14, and those of
# the libraries that generated code imports, directly or through each other.
_MODULES = frozenset(
    """
    abc aifc aiokafka aiomysql aiosqlite annotated_doc annotated_types annotationlib antigravity anyio
    argparse array ast async_timeout asynchat asyncio asyncore asyncpg atexit audioop base64 bdb binascii
    bisect builtins bz2 calendar certifi cffi cgi cgitb chunk click cmath cmd code codecs codeop collections
    colorsys compileall compression concurrent configparser conftest contextlib contextvars copy copyreg
    crypt cryptography csv ctypes curses dataclasses datetime dbm decimal difflib dis distutils doctest
    email encodings ensurepip enum errno fastapi faulthandler fcntl filecmp fileinput fnmatch fractions
    ftplib functools gc genericpath getopt getpass gettext glob google graphlib greenlet grp grpc
    grpc_health gzip h11 hashlib heapq hmac html http httpcore httptools httpx idlelib idna imaplib imghdr
    imp importlib inspect io ipaddress itertools joserfc json keyword lib2to3 linecache locale logging lzma
    mailbox mailcap marshal math mimetypes mmap modulefinder msilib msvcrt multiprocessing mypy netrc nis
    nntplib nt ntpath nturl2path numbers opcode opentelemetry operator optparse os ossaudiodev packaging
    pathlib pdb pickle pickletools pip pipes pkgutil platform plistlib poplib posix posixpath pprint profile
    prometheus_client pstats pty pwd py_compile pyclbr pycparser pydantic pydantic_core pydoc pydoc_data
    pyexpat pymysql pytest queue quopri random re readline redis reprlib resource rlcompleter ruff runpy
    sched secrets select selectors setuptools shelve shlex shutil signal site smtpd smtplib sndhdr sniffio
    socket socketserver spwd sqlalchemy sqlite3 src sre_compile sre_constants sre_parse ssl starlette stat
    statistics string stringprep struct subprocess sunau symtable sys sysconfig syslog tabnanny tarfile
    telnetlib tempfile termios test tests textwrap this threading time timeit tkinter token tokenize tomllib
    trace traceback tracemalloc tty turtle turtledemo types typing typing_extensions typing_inspection
    unicodedata unittest urllib uu uuid uvicorn uvloop venv warnings wave weakref webbrowser winreg winsound
    wsgiref xdrlib xml xmlrpc zipapp zipfile zipimport zlib zoneinfo
    """.split()  # noqa: SIM905 - quoting each would make it no clearer
)


@cache
def words(name: str) -> tuple[str, ...]:
    """The words of a name in small letters: `unit-price`, `unitPrice` and `UnitPrice` have the same two."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return tuple(re.findall(r"[a-z0-9]+", parted.lower()))


def snake(name: str) -> str:
    """`unit-price` as `unit_price`."""
    return "_".join(words(name))


def pascal(name: str) -> str:
    """`unit-price` as `UnitPrice`."""
    return "".join(word.capitalize() for word in words(name))


def upper(name: str) -> str:
    """`unit-price` as `UNIT_PRICE`: an environment variable's, a constant's."""
    return snake(name).upper()


def variable(name: str, taken: Collection[str] = ()) -> str:
    """A Python variable, argument or attribute; a keyword, a builtin or a taken one gets `_` after it."""
    plain = snake(name)
    if not plain or plain[0].isdigit():
        plain = f"x{plain}"
    return f"{plain}_" if plain in _KEYWORDS or plain in _BUILTINS or plain in taken else plain


def package(element: model.Element) -> str:
    """The Python package of an element's code: `order-history` is `order_history`.

    One that would hide a module gets its kind after it: the service `email` is `email_service`.
    """
    plain = snake(element.name)
    hides = plain in _KEYWORDS or plain in _MODULES
    return f"{plain}_{element.kind}" if hides else variable(plain)


def unique(wanted: Iterable[tuple[K, str]], taken: Collection[str] = ()) -> dict[K, str]:
    """The names by key, in order; one that is taken already gets the first free number after it."""
    used = set(taken)
    names: dict[K, str] = {}
    for key, name in wanted:
        number, free = 1, name
        while free in used:
            number += 1
            free = f"{name}_{number}"
        used.add(free)
        names[key] = free
    return names


def is_keyword(word: str) -> bool:
    """Whether Python keeps a word for itself."""
    return word in _KEYWORDS
