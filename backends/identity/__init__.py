"""Identity: what a provider is told about roles, scopes and applications; or a small one for local runs."""

from functools import cache
from importlib import resources
from typing import Any

from archc.backends import facts, settings
from archc.backends.backend import Backend, Output, Outputs, Plan
from archc.backends.formats import to_json
from archc.backends.identity.clients import machine_scopes, redirect_uris
from archc.backends.identity.keycloak import dockerfile, realm
from archc.backends.workloads.platform import client_secrets, identity_folder, realm_file
from archc.compiler import model

__all__ = ["BACKEND"]

_ISSUER_CODE = ("__init__.py", "app.py", "grants.py", "settings.py")


def _render(plan: Plan) -> Outputs:
    outputs: dict[str, Output] = {}
    for identity in plan.system.all(model.Identity):
        engine = facts.engine_name(identity)
        folder = identity_folder(plan, identity)
        if engine == "keycloak":
            outputs[realm_file(plan, identity)] = Output(to_json(realm(plan, identity)))
            outputs[f"{folder}/Dockerfile"] = Output(dockerfile(identity))
            outputs[f"{folder}/.dockerignore"] = Output("*\n")
        elif engine == "dev":
            outputs[realm_file(plan, identity)] = Output(to_json(issuer_settings(plan, identity)))
            outputs |= {f"{folder}/{name}": Output(text) for name, text in _issuer_files().items()}
    return outputs


def issuer_settings(plan: Plan, identity: model.Identity) -> dict[str, Any]:
    """What the small issuer is told; archc.backends.identity.issuer.settings reads it."""
    system = plan.system
    secrets = {client.app: name for client, name in client_secrets(system, identity)}
    clients = []
    for client in identity.client:
        data: dict[str, Any] = {"id": system[client.app].name, "flow": client.flow}
        if client.flow == "pkce":
            data["redirect_uris"] = list(redirect_uris(plan, client))
        elif client.app in secrets:
            data["scopes"] = list(machine_scopes(plan, client))
            data["secret_file"] = f"{settings.SECRETS_FOLDER}/{secrets[client.app]}"
        clients.append(data)
    return {
        "issuer": facts.issuer(system, identity),
        "audience": facts.audience(system, identity),
        "token_lifetime_s": max(1, identity.token_lifetime_ms // 1000),
        "roles": list(identity.role),
        "scopes": {scope.name: list(scope.roles) for scope in identity.scope},
        "clients": clients,
    }


@cache
def _issuer_files() -> dict[str, str]:
    """The small issuer's program, as it is in this package."""
    package = resources.files("archc.backends.identity") / "issuer"
    files = {f"issuer/{name}": (package / name).read_text(encoding="utf-8") for name in _ISSUER_CODE}
    for name in ("Dockerfile", "requirements.txt"):
        files[name] = (package / name).read_text(encoding="utf-8")
    files[".dockerignore"] = "*\n!issuer/*.py\n!requirements.txt\n"
    return files


BACKEND = Backend(
    name="identity",
    doc="An identity provider's roles, scopes and applications; or a small provider for local runs.",
    part="environment",
    platforms=("compose", "kubernetes"),
    render=_render,
)
