"""A workload: one program to deploy, as both Compose and Kubernetes need it, free of either's words.

archc.backends.workloads derives the workloads from the system; the deployment backends only render them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from archc.compiler.model import Count, Element, Patch

PortProtocol = Literal["http", "grpc", "tcp"]


@dataclass(frozen=True, slots=True)
class WorkloadPort:
    """A port: its name, the number others use and the number inside the container."""

    name: str
    number: int
    inside: int
    protocol: PortProtocol = "http"


@dataclass(frozen=True, slots=True)
class Probe:
    """How to tell that the program is alive or ready: one of an HTTP path, a command, a TCP or gRPC check.

    Beside the other checks, `command` is the same check made inside the container, for platforms that only
    look from there; empty where the image holds nothing to make it with.
    """

    port: int = 0
    path: str = ""
    command: tuple[str, ...] = ()
    check: Literal["http", "command", "tcp", "grpc"] = "http"


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A generated file that the container reads: its place in the output tree and in the container."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A secret the container reads as the file /run/secrets/NAME.

    `kind` says how the value is made where nobody supplies one: a random "password", an "rsa-key", or
    "given" for one that only a person knows.
    """

    name: str
    kind: Literal["password", "rsa-key", "given"] = "password"


@dataclass(frozen=True, slots=True)
class DataVolume:
    """A folder that outlives the container, with its size in bytes.

    `is_owned` says that the image's folder at this path belongs to the workload's user already,
    `is_encrypted` that the disk has to be encrypted, where the platform knows of such disks.
    """

    name: str
    path: str
    size_bytes: int
    is_owned: bool = False
    is_encrypted: bool = False


@dataclass(frozen=True, slots=True)
class BuildFolder:
    """An image built from a folder of the output tree, relative to the output folder."""

    folder: str
    dockerfile: str = "Dockerfile"


@dataclass(frozen=True, slots=True)
class Size:
    """What one instance may use: processor in thousandths, memory in bytes."""

    cpu_millicores: int
    memory_bytes: int


@dataclass(frozen=True)
class Workload:
    """A program to deploy.

    `name` is its host name and DNS label. `peers` are the names of workloads it opens connections to: what
    networks and network policies are made from. `needs` are those of them that must be healthy first.
    `external` are hosts outside the system that it calls. `published` is the loopback port Compose publishes
    (0 for none). `schedule` (five cron fields) makes it a job; `once` one that runs to its end before what
    needs it starts. `entrypoint` replaces the image's own (Kubernetes: `command`), `command` are the
    arguments after it (`args`). `secret_env` are environment variables whose values are secrets, by the
    secret's name: for programs that cannot read files. `writable` programs write into their own image.
    """

    name: str
    element: Element
    role: str
    image: str
    build: BuildFolder | None = None
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    ports: tuple[WorkloadPort, ...] = ()
    published: int = 0
    env: Mapping[str, str] = field(default_factory=dict)
    secret_env: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[SecretFile, ...] = ()
    files: tuple[ConfigFile, ...] = ()
    volumes: tuple[DataVolume, ...] = ()
    tmp: tuple[str, ...] = ("/tmp",)
    user: int = 10001
    group: int = 10001
    writable: bool = False
    capabilities: tuple[str, ...] = ()
    liveness: Probe | None = None
    readiness: Probe | None = None
    start_s: int = 30
    size: Size = Size(500, 256 << 20)
    replicas: Count = field(default_factory=lambda: Count(1, 1))
    cpu_percent: float = 0
    grace_s: int = 30
    stateful: bool = False
    schedule: str = ""
    once: bool = False
    metrics_path: str = ""
    metrics_port: int = 0
    peers: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    external: tuple[str, ...] = ()
    compose_patches: tuple[Patch, ...] = ()
    kubernetes_patches: tuple[Patch, ...] = ()
