"""A container asks for more rights than a program needs.

## What it finds

`user 0`, which is root; a `capability` without a `because "…"`, unless it is NET_BIND_SERVICE; and a
passthrough `patch` for Compose or Kubernetes that makes a container privileged, gives it the host's network,
processes or folders, runs it as root or adds capabilities.

archc takes all of that away from every container, so each has to be asked for. A patch is accepted with
`allow A504`.

## Why it is bad

Whoever gets into the program through a hole in it has these rights too. Root in a container with a folder or
the network of its host is root on the host, and from there on all containers.

## Example

    service stock { build "./stock"; health tcp; user 0 }

## Instead

Run as a user of its own, write only where a volume or `tmp` is, and give a reason for what cannot be avoided:

    service stock { build "./stock"; health tcp; tmp /var/run/stock }
    service relay { build "./relay"; health tcp; capability NET_RAW because "it pings what it watches" }

## Fix

Suggested: the statement is removed; the program has to do without.

## Source

Kubernetes: Pod Security Standards, restricted; Ponce, Soldani, Astudillo, Brogi: "Smells and refactorings for
microservices security" (unnecessary privileges to microservices).
"""

from collections.abc import Iterator
from typing import Any

from archc.compiler import model
from archc.compiler.graph import Graph
from archc.compiler.rules.fixing import Delete, Place, suggested
from archc.compiler.rules.rule import Finding
from archc.dsl.diagnostics import Span

_WHY = "whoever gets into the program has these rights too"
# The one capability that the Pod Security Standards' restricted profile lets a container add.
_HARMLESS = frozenset(("NET_BIND_SERVICE",))
_ROOT = frozenset(("0", "root"))
# Keys of Compose and Kubernetes that grant a right where they are true.
_SWITCHES = frozenset(("privileged", "hostNetwork", "hostPID", "hostIPC", "allowPrivilegeEscalation"))
_NAMESPACES = frozenset(("network_mode", "pid", "ipc", "userns_mode"))
_HOST_FOLDERS = ("/", "~", ".")


def check(system: model.System, graph: Graph) -> Iterator[Finding]:
    """One finding for each right."""
    for element in system.all(model.Runnable):
        if element.places.get("user") and element.user == 0:
            place = element.place("user")
            yield _finding(element, place, "to run as root", place)
        for asked in element.capability:
            name = _capability(asked.name)
            if name not in _HARMLESS and not asked.because.strip():
                yield _finding(element, asked.span, f"for the capability {name}", asked)
        for passthrough in (element.compose, element.kubernetes):
            for patch in passthrough.patch if passthrough is not None else ():
                for right in dict.fromkeys(rights_in(patch.yaml)):
                    yield _finding(element, patch.span, f"in a patch for `{right}`", None)


def _finding(element: model.Runnable, span: Span, what: str, statement: Place | None) -> Finding:
    return Finding(
        element.id,
        span,
        f"`{element.id}` asks {what}",
        detail=_WHY,
        hint="do without, or say why it must be: "
        + ('`because "…"` after it' if what.startswith("for") else '`allow A504 because "…"`'),
        fix=suggested("do without", Delete(statement)) if statement is not None else None,
    )


def rights_in(text: str) -> Iterator[str]:
    """The rights that the YAML of a patch asks for, as `key: value`."""
    import yaml

    yield from _rights(yaml.safe_load(text), "")


def _rights(value: Any, around: str) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _rights(item, around)
            folder = _host_folder(item) if around == "volumes" else ""
            if folder:
                yield f"volumes: {folder}"
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        written = str(inner).lower()
        if _grants(key, written):
            yield f"{key}: {written}"
        elif key == "hostPath":
            yield "hostPath"
        elif key == "cap_add" or (key == "add" and around == "capabilities"):
            names = inner if isinstance(inner, list) else [inner] * bool(inner)
            yield from (f"{key}: {name}" for name in names if _capability(str(name)) not in _HARMLESS)
        else:
            yield from _rights(inner, key)


def _host_folder(mount: Any) -> str:
    """What a volume of Compose mounts of the host, in its short form or its long one; "" if nothing."""
    if isinstance(mount, dict):
        return str(mount.get("source", "")) if mount.get("type") == "bind" else ""
    return mount if isinstance(mount, str) and mount.startswith(_HOST_FOLDERS) else ""


def _capability(name: str) -> str:
    """A capability's name without the prefix it may have: `NET_ADMIN` for `cap-net-admin`."""
    return name.upper().replace("-", "_").removeprefix("CAP_")


def _grants(key: str, written: str) -> bool:
    """Whether a plain value grants a right; `written` is in small letters."""
    if key in ("runAsUser", "user"):
        return written.partition(":")[0] in _ROOT
    if key in _NAMESPACES:
        return written == "host"
    if key == "runAsNonRoot":
        return written == "false"
    return key in _SWITCHES and written == "true"
