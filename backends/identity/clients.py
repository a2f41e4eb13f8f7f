"""Who may ask for tokens: what both providers are told about applications."""

from archc.backends import facts
from archc.backends.backend import Plan
from archc.backends.workloads import workloads
from archc.compiler import model
from archc.compiler.graph import SYNCHRONOUS, operations


def redirect_uris(plan: Plan, client: model.Client) -> tuple[str, ...]:
    """Where people may be sent after they have logged in: below the application's mounts, on every way in."""
    app = plan.system[client.app]
    if isinstance(app, model.External):
        return (f"{app.url.rstrip('/')}/*",) if app.url else ()
    mounts = app.mounts if isinstance(app, model.Frontend) and app.mounts else ("/",)
    return tuple(f"{base}{mount.rstrip('/*')}/*" for base in _bases(plan) for mount in mounts)


def machine_scopes(plan: Plan, client: model.Client) -> tuple[str, ...]:
    """The scopes an application has by itself: those of the operations it calls, and no others."""
    scopes: set[str] = set()
    for edge in plan.graph.edges_from(client.app, sorted(SYNCHRONOUS)):
        for service in _reached(plan, edge.target):
            for operation in operations(service):
                if operation.scope and edge.detail in ("", operation.name):
                    scopes.add(operation.scope)
    known = {scope.name for identity in plan.system.all(model.Identity) for scope in identity.scope}
    return tuple(sorted(scopes & known))


def _reached(plan: Plan, id_: str) -> tuple[model.Service, ...]:
    """The service that is called, or those behind the gateway that is."""
    target = plan.system[id_]
    if isinstance(target, model.Gateway):
        behind = {edge.target for edge in plan.graph.edges_from(id_, ("route",))}
        return tuple(s for s in (plan.system[i] for i in sorted(behind)) if isinstance(s, model.Service))
    return (target,) if isinstance(target, model.Service) else ()


def _bases(plan: Plan) -> tuple[str, ...]:
    """The addresses of the way in: declared hosts, and the loopback where Compose publishes it."""
    bases = set()
    for element in plan.graph.nodes:
        if isinstance(element, model.Cdn | model.LoadBalancer | model.Gateway):
            for host in element.host:
                bases.add(f"{'https' if host.tls == 'auto' else 'http'}://{host.name}")
    if plan.system.environment.platform == "compose":
        for workload in workloads(plan):
            if workload.published and workload.published != facts.IDENTITY_PORT:
                bases.add(f"http://localhost:{workload.published}")
    return tuple(sorted(bases))
