"""A page for engines that archc does not configure: what whoever does has to bring about."""

from archc.backends import facts
from archc.backends.backend import Plan
from archc.backends.diagram.markdown import plain, table
from archc.backends.gateway.access import Access, accesses
from archc.backends.gateway.front import ANY_HOST, hosts
from archc.backends.gateway.places import Place, balancer_site, cdn_site
from archc.compiler import model

EdgeElement = model.Gateway | model.LoadBalancer | model.Cdn


def page(plan: Plan, element: EdgeElement) -> str:
    """The file README.md of an element whose engine is configured by hand."""
    known = hosts(plan.graph, element)
    lines = [
        f"# {element.name}",
        "",
        f"archc writes no configuration for the engine {facts.engine_name(element)}. This is what the system",
        "asks of it; of a table's lines, the first that matches a request holds.",
        "",
        f"- Hosts: {'any' if known == (ANY_HOST,) else plain(', '.join(known))}",
    ]
    if isinstance(element, model.Gateway):
        lines += [*_tokens(plan.system, element), ""]
        rows = [_access(access) for access in accesses(plan.system, element)]
        lines += table(("Methods", "Path", "Goes to", "Needs", "Seconds"), rows)
    else:
        site = cdn_site(plan, element) if isinstance(element, model.Cdn) else balancer_site(plan, element)
        lines += ["", *table(("Path", "Goes to", "Kept", "Stale"), map(_place, site.places))]
    return "\n".join(lines).rstrip() + "\n"


def _tokens(system: model.System, gateway: model.Gateway) -> list[str]:
    identity = facts.identity_of(system, gateway)
    if identity is None:
        return []
    return [
        f"- Issuer of tokens: {plain(facts.issuer(system, identity))}",
        f"- Audience of tokens: {plain(facts.audience(system, identity))}",
        f"- Keys: {plain(facts.jwks_uri(system, identity))}",
    ]


def _access(access: Access) -> tuple[str, ...]:
    path = access.path if access.exact else f"{access.path.rstrip('/')}/*"
    needs = "no token" if access.anonymous else " ".join(("a token", *access.scopes))
    return (
        ", ".join(access.methods) or "any",
        plain(path),
        access.target.name,
        "refused" if access.refused else plain(needs),
        f"{access.timeout_ms / 1000:g}",
    )


def _place(place: Place) -> tuple[str, ...]:
    kept = f"{place.ttl_s} s" if place.ttl_s else "as its headers say" if place.is_kept else "no"
    return (plain(place.path), ", ".join(place.target.addresses), kept, f"{place.stale_s} s")
