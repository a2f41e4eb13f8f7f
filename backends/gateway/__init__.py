"""The way in: configuration of gateways, load balancers and CDNs."""

from archc.backends.backend import Backend, Output, Plan
from archc.backends.facts import engine_name
from archc.backends.gateway.files import folder_of
from archc.compiler import model


def render(plan: Plan) -> dict[str, Output]:
    """The configuration of everything on the way in whose program archc configures.

    Elements with an image or a build folder bring their own; an engine that archc does not configure gets a
    page for whoever does.
    """
    outputs: dict[str, Output] = {}
    for element in plan.system.all(model.Runnable):
        files: dict[str, Output] = {}
        if isinstance(element, model.Gateway):
            files = _gateway(plan, element)
        elif isinstance(element, model.LoadBalancer):
            files = _load_balancer(plan, element)
        elif isinstance(element, model.Cdn):
            files = _cdn(plan, element)
        folder = folder_of(plan.deploy, element)
        outputs |= {f"{folder}/{name}": output for name, output in files.items()}
    return outputs


def _gateway(plan: Plan, gateway: model.Gateway) -> dict[str, Output]:
    from archc.backends.gateway import byhand
    from archc.backends.gateway.envoy import bootstrap

    if engine_name(gateway) != "envoy":
        return {"README.md": Output(byhand.page(plan, gateway))} if engine_name(gateway) else {}
    return {
        "envoy.yaml": Output(bootstrap.envoy_yaml(plan.graph, gateway)),
        "drain.sh": Output(bootstrap.drain_script(gateway), executable=True),
    }


def _load_balancer(plan: Plan, balancer: model.LoadBalancer) -> dict[str, Output]:
    from archc.backends.gateway import byhand, haproxy, nginx

    engine = engine_name(balancer)
    if engine == "nginx":
        return {"nginx.conf": Output(nginx.balancer_conf(plan, balancer))}
    if engine == "haproxy":
        return {"haproxy.cfg": Output(haproxy.balancer_cfg(plan, balancer))}
    return {"README.md": Output(byhand.page(plan, balancer))} if engine else {}


def _cdn(plan: Plan, cdn: model.Cdn) -> dict[str, Output]:
    from archc.backends.gateway import byhand, nginx, varnish

    engine = engine_name(cdn)
    if engine == "nginx":
        return {"nginx.conf": Output(nginx.cdn_conf(plan, cdn))}
    if engine == "varnish":
        return {"default.vcl": Output(varnish.cdn_vcl(plan, cdn))}
    return {"README.md": Output(byhand.page(plan, cdn))} if engine else {}


BACKEND = Backend(
    name="gateway",
    doc="Configuration of gateways, load balancers and CDNs.",
    part="environment",
    platforms=("compose", "kubernetes"),
    render=render,
)
