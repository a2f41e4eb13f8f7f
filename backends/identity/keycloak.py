"""Keycloak's realm: roles, scopes that roles carry, applications with PKCE, what tokens hold."""

from typing import Any

from archc.backends import facts
from archc.backends.backend import Plan
from archc.backends.engines import image_of
from archc.backends.identity.clients import machine_scopes, redirect_uris
from archc.backends.workloads.platform import client_secret_variable
from archc.compiler import model

# The scope every token has: who it is about, whom it is for, which roles.
_BASE_SCOPE = "token-basics"
_DOCKERFILE = """\
FROM {image} AS build
ENV KC_DB=dev-file KC_HEALTH_ENABLED=true KC_METRICS_ENABLED=true
RUN /opt/keycloak/bin/kc.sh build

FROM {image}
COPY --from=build /opt/keycloak/ /opt/keycloak/
USER 1000:0
EXPOSE 8080 9000
ENTRYPOINT ["/opt/keycloak/bin/kc.sh"]
CMD ["start", "--optimized", "--import-realm"]
"""


def dockerfile(identity: model.Identity) -> str:
    """Keycloak with its settings built in: it starts fast and writes nothing into its image."""
    version = identity.engine.version if identity.engine is not None else ""
    return _DOCKERFILE.format(image=image_of("keycloak", version))


def realm(plan: Plan, identity: model.Identity) -> dict[str, Any]:
    """The realm that Keycloak imports on its first start."""
    system = plan.system
    machines = {client.app: machine_scopes(plan, client) for client in identity.client if _is_machine(client)}
    return {
        "realm": system.name,
        "displayName": _literal(system.title or system.name),
        "enabled": True,
        "sslRequired": "external",
        "registrationAllowed": False,
        "bruteForceProtected": True,
        "defaultSignatureAlgorithm": "RS256",
        "accessTokenLifespan": max(1, identity.token_lifetime_ms // 1000),
        "roles": {"realm": [*_roles(identity), *({"name": _machine_role(system, app)} for app in machines)]},
        "clientScopes": [_base_scope(plan, identity), *(_scope(scope) for scope in identity.scope)],
        "defaultDefaultClientScopes": [_BASE_SCOPE],
        "scopeMappings": _scope_mappings(system, identity, machines),
        "clients": [_client(plan, identity, client) for client in identity.client],
        "users": [_machine_user(system, app) for app in machines],
    }


def _is_machine(client: model.Client) -> bool:
    return client.flow == "credentials"


def _roles(identity: model.Identity) -> list[dict[str, Any]]:
    return [{"name": role} for role in identity.role]


def _scope(scope: model.Scope) -> dict[str, Any]:
    return {
        "name": scope.name,
        "protocol": "openid-connect",
        "attributes": {"include.in.token.scope": "true", "display.on.consent.screen": "true"},
    }


def _base_scope(plan: Plan, identity: model.Identity) -> dict[str, Any]:
    audience = _literal(facts.audience(plan.system, identity))
    mappers = [
        _mapper("subject", "oidc-sub-mapper"),
        _mapper("audience", "oidc-audience-mapper", **{"included.custom.audience": audience}),
        _mapper(
            "roles",
            "oidc-usermodel-realm-role-mapper",
            **{"claim.name": "roles", "jsonType.label": "String", "multivalued": "true"},
        ),
    ]
    return {
        "name": _BASE_SCOPE,
        "protocol": "openid-connect",
        "attributes": {"include.in.token.scope": "false", "display.on.consent.screen": "false"},
        "protocolMappers": mappers,
    }


def _mapper(name: str, kind: str, **config: str) -> dict[str, Any]:
    everywhere = {"access.token.claim": "true", "introspection.token.claim": "true"}
    return {
        "name": name,
        "protocol": "openid-connect",
        "protocolMapper": kind,
        "config": {**everywhere, **config},
    }


def _scope_mappings(
    system: model.System, identity: model.Identity, machines: dict[str, tuple[str, ...]]
) -> list[dict[str, Any]]:
    """Which roles carry each scope. A scope without any would be everybody's, so none is left bare."""
    mappings = []
    for scope in identity.scope:
        roles = [
            *scope.roles,
            *(_machine_role(system, app) for app, own in machines.items() if scope.name in own),
        ]
        if roles:
            mappings.append({"clientScope": scope.name, "roles": roles})
    return mappings


def _client(plan: Plan, identity: model.Identity, client: model.Client) -> dict[str, Any]:
    system = plan.system
    base: dict[str, Any] = {
        "clientId": system[client.app].name,
        "name": _literal(system[client.app].title or system[client.app].name),
        "protocol": "openid-connect",
        "enabled": True,
        "publicClient": not _is_machine(client),
        "standardFlowEnabled": client.flow == "pkce",
        "implicitFlowEnabled": False,
        "directAccessGrantsEnabled": False,
        "serviceAccountsEnabled": _is_machine(client),
        "fullScopeAllowed": True,
        "defaultClientScopes": [_BASE_SCOPE],
        "optionalClientScopes": [scope.name for scope in identity.scope],
    }
    if client.flow == "pkce":
        attributes = {"pkce.code.challenge.method": "S256", "post.logout.redirect.uris": "+"}
        uris = list(redirect_uris(plan, client))
        return {**base, "redirectUris": uris, "webOrigins": ["+"], "attributes": attributes}
    if client.flow == "device":
        return {**base, "attributes": {"oauth2.device.authorization.grant.enabled": "true"}}
    # Keycloak puts the secret in from its environment while it imports.
    secret = f"${{{client_secret_variable(system, client)}}}"
    return {**base, "clientAuthenticatorType": "client-secret", "secret": secret}


def _machine_role(system: model.System, app: str) -> str:
    return f"service.{system[app].name}"


def _machine_user(system: model.System, app: str) -> dict[str, Any]:
    name = system[app].name
    return {
        "username": f"service-account-{name}",
        "enabled": True,
        "serviceAccountClientId": name,
        "realmRoles": [_machine_role(system, app)],
    }


def _literal(text: str) -> str:
    """A person's text: Keycloak would take `${X}` for a variable of its environment, where secrets are."""
    return text.replace("${", "$ {")
