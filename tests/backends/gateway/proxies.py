"""nginx, HAProxy and Varnish with generated configuration, on loopback; only addresses and folders differ."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.backends.gateway.client import wait_for
from tests.backends.gateway.town import program
from tests.backends.gateway.upstreams import free_port


@contextmanager
def running_nginx(folder: Path, conf: str, addresses: dict[str, int]) -> Iterator[int]:
    """nginx's port. `addresses` says which loopback port stands for which host:port of the configuration."""
    port = free_port()
    conf = _moved(conf, addresses).replace("listen 8080", f"listen 127.0.0.1:{port}")
    conf = _inside(conf, folder).replace("/dev/stdout", f"{folder}/access.log")
    with _running(folder, "nginx.conf", conf, [program("nginx"), "-e", "stderr", *_as_user(), "-c"]):
        wait_for(port, "/healthz")
        yield port


def check_nginx(folder: Path, conf: str) -> str:
    """What `nginx -t` says; names it cannot look up here are loopback."""
    path = folder / "nginx.conf"
    conf = re.sub(r"(?m)^( +server )[a-z][a-z0-9-]*:", r"\g<1>127.0.0.1:", conf)
    path.write_text(_inside(conf, folder), encoding="utf-8")
    command = [program("nginx"), "-e", "stderr", "-t", "-c", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stderr


@contextmanager
def running_haproxy(folder: Path, cfg: str, addresses: dict[str, int]) -> Iterator[int]:
    """HAProxy's port."""
    port = free_port()
    cfg = _moved(cfg, addresses).replace("bind :8080", f"bind 127.0.0.1:{port}")
    with _running(folder, "haproxy.cfg", cfg, [program("haproxy"), "-db", "-f"]):
        wait_for(port, "/healthz")
        yield port


def check_haproxy(folder: Path, cfg: str) -> subprocess.CompletedProcess[str]:
    """What `haproxy -c` says."""
    path = folder / "haproxy.cfg"
    path.write_text(cfg, encoding="utf-8")
    command = [program("haproxy"), "-c", "-f", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@contextmanager
def running_varnish(folder: Path, vcl: str, addresses: dict[str, int]) -> Iterator[int]:
    """Varnish's port."""
    port = free_port()
    for address, target in addresses.items():
        host, number = address.split(":")
        vcl = vcl.replace(
            f'.host = "{host}";\n    .port = "{number}"', f'.host = "127.0.0.1";\n    .port = "{target}"'
        )
    command = [
        program("varnishd"),
        "-F",
        "-j",
        "none",
        "-n",
        str(folder / "varnish"),
        "-a",
        f"127.0.0.1:{port}",
    ]
    with _running(folder, "default.vcl", vcl, [*command, "-s", "malloc,16m", "-f"]):
        wait_for(port, "/healthz", timeout_s=20)
        yield port


def check_varnish(folder: Path, vcl: str) -> subprocess.CompletedProcess[str]:
    """What Varnish's compiler says; names it cannot look up here are loopback."""
    path = folder / "default.vcl"
    path.write_text(re.sub(r'\.host = "[^"]*"', '.host = "127.0.0.1"', vcl), encoding="utf-8")
    command = [program("varnishd"), "-C", "-j", "none", "-n", str(folder / "varnish"), "-f", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _inside(conf: str, folder: Path) -> str:
    return conf.replace("/tmp/", f"{folder}/").replace("/var/cache/nginx", f"{folder}/cache")


def _as_user() -> list[str]:
    # Started by root, nginx would give its work to a user that cannot see the folder of a test.
    return ["-g", "daemon off; user root;" if os.getuid() == 0 else "daemon off;"]


def _moved(conf: str, addresses: dict[str, int]) -> str:
    for address, port in addresses.items():
        conf = re.sub(rf"(?<![\w.-]){re.escape(address)}(?!\d)", f"127.0.0.1:{port}", conf)
    return conf


@contextmanager
def _running(folder: Path, name: str, conf: str, command: list[str]) -> Iterator[None]:
    path = folder / name
    path.write_text(conf, encoding="utf-8")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*command, str(path)], stdout=log, stderr=subprocess.STDOUT)
        try:
            yield
        finally:
            process.terminate()
            process.wait(timeout=10)
