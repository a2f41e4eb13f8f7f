"""The town: a system with one of each kind of route, and its gateway running for real."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from archc.backends import gateway
from archc.backends.backend import Plan
from archc.compiler.pipeline import compile_source
from tests.backends.gateway.client import Answer, ask, wait_for
from tests.backends.gateway.tokens import jwks, token
from tests.backends.gateway.upstreams import Server, free_port, serving

SOURCE = Path(__file__).with_name("town.arch").read_text(encoding="utf-8")


def plan_of(text: str, environment: str | None = None) -> Plan:
    """A plan for a text that must compile."""
    compilation = compile_source({"test.arch": text}, environment)
    assert compilation.system is not None, compilation.diagnostics
    return Plan(compilation, compilation.system, compilation.graph)


def rendered(text: str, environment: str | None = None) -> dict[str, str]:
    """What the backend writes, by path."""
    return {
        path: output.content for path, output in gateway.BACKEND.render(plan_of(text, environment)).items()
    }


def program(name: str) -> str:
    """The path of a program: beside this Python, or anywhere. Tests need all of them; none is optional."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/bin")
    assert found, f"{name} is not installed"
    return found


@dataclass
class Town:
    """The running gateway and what stands behind it."""

    port: int
    admin_port: int
    metrics_port: int
    servers: dict[str, Server]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def ask(self, path: str, scope: str | None = None, **options: Any) -> Answer:
        """A request, with a good token if a scope is given ("" for a token without scopes)."""
        headers = dict(options.pop("headers", {}))
        if scope is not None:
            headers["Authorization"] = f"Bearer {token(scope)}"
        return ask(self.port, path, headers=headers, **options)


@cache
def envoy_config(environment: str = "local") -> str:
    return rendered(SOURCE, environment)[f"deploy/{environment}/gateway/api/envoy.yaml"]


def login_server(port: int = 0) -> Server:
    """An identity provider that has its keys."""
    return Server("login", {"/jwks": jwks()}, port)


@contextmanager
def running_envoy(folder: Path, wrapper: str = "", login: Server | None = None) -> Iterator[Town]:
    """Envoy with the town's configuration; only addresses differ from what is generated.

    `wrapper` is the text of a script that starts Envoy, if it is not to be started by itself. `login` is an
    identity provider that the caller starts and stops.
    """
    with ExitStack() as stack:
        names = ("orders", "products", "old", "site", "traces_collector")
        servers = {name: stack.enter_context(serving(Server(name))) for name in names}
        servers["identity_keys"] = login or stack.enter_context(serving(login_server()))
        town = Town(free_port(), free_port(), free_port(), servers, folder / "envoy.log")
        config = _on_loopback(yaml.safe_load(envoy_config()), town)
        path = folder / "envoy.yaml"
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        log = stack.enter_context(town.log.open("wb"))
        command = [program("envoy"), "-c", str(path), "--disable-hot-restart", "--concurrency", "1"]
        command += ["--file-flush-interval-msec", "50", "-l", "warning"]
        if wrapper:
            script = folder / "drain.sh"
            script.write_text(
                wrapper.replace("127.0.0.1/9901", f"127.0.0.1/{town.admin_port}"), encoding="utf-8"
            )
            command = ["bash", str(script), str(path)]
        environment = os.environ | {"PATH": f"{Path(program('envoy')).parent}:{os.environ['PATH']}"}
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
        town.process = process
        try:
            wait_for(town.port, "/healthz")
            yield town
        finally:
            process.terminate()
            process.wait(timeout=20)


def _on_loopback(config: dict[str, Any], town: Town) -> dict[str, Any]:
    ports = {name: server.port for name, server in town.servers.items()}
    ports |= {"own_admin": town.admin_port, "stock": free_port(), "bank": free_port()}
    config["admin"]["address"]["socket_address"]["port_value"] = town.admin_port
    ingress, metrics = config["static_resources"]["listeners"]
    ingress["address"]["socket_address"] |= {"address": "127.0.0.1", "port_value": town.port}
    metrics["address"]["socket_address"] |= {"address": "127.0.0.1", "port_value": town.metrics_port}
    for cluster in config["static_resources"]["clusters"]:
        endpoint = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
        endpoint["address"]["socket_address"] |= {
            "address": "127.0.0.1",
            "port_value": ports[cluster["name"]],
        }
    config["static_resources"]["listeners"].append(_grpc_service(ports["stock"]))
    return config


def _grpc_service(port: int) -> dict[str, Any]:
    """A second listener of Envoy's own stands for the gRPC service: it answers every call with "ok"."""
    prefix = "type.googleapis.com/envoy.extensions.filters"
    manager = {
        "@type": f"{prefix}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "stock",
        "codec_type": "HTTP2",
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{prefix}.http.router.v3.Router"},
            }
        ],
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "stock",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 200}}],
                    "response_headers_to_add": [
                        {"header": {"key": "grpc-status", "value": "0"}},
                        {"header": {"key": "content-type", "value": "application/grpc"}},
                        {"header": {"key": "x-path", "value": "%REQ(:PATH)%"}},
                    ],
                }
            ]
        },
    }
    return {
        "name": "stock",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
