"""The way in: configuration of gateways, load balancers and CDNs."""

from archc.backends.backend import Backend, Output, Plan
from archc.backends.facts import engine_name
from archc.compiler import model


def render(plan: Plan) -> dict[str, Output]:
    """The configuration of everything on the way in whose program archc configures.

    Elements with an image or a build folder bring their own.
    """
    outputs: dict[str, Output] = {}
    for gateway in plan.system.all(model.Gateway):
        outputs |= _gateway(plan, gateway)
    for balancer in plan.system.all(model.LoadBalancer):
        outputs |= _load_balancer(plan, balancer)
    for cdn in plan.system.all(model.Cdn):
        outputs |= _cdn(plan, cdn)
    return outputs


def _gateway(plan: Plan, gateway: model.Gateway) -> dict[str, Output]:
    from archc.backends.gateway.envoy.bootstrap import envoy_yaml

    folder = f"{plan.deploy}/gateway/{gateway.name}"
    if engine_name(gateway) != "envoy":
        return {}
    return {f"{folder}/envoy.yaml": Output(envoy_yaml(plan.graph, gateway))}


def _load_balancer(plan: Plan, balancer: model.LoadBalancer) -> dict[str, Output]:
    from archc.backends.gateway import haproxy, nginx

    folder = f"{plan.deploy}/load-balancer/{balancer.name}"
    if engine_name(balancer) == "nginx":
        return {f"{folder}/nginx.conf": Output(nginx.balancer_conf(plan, balancer))}
    if engine_name(balancer) == "haproxy":
        return {f"{folder}/haproxy.cfg": Output(haproxy.balancer_cfg(plan, balancer))}
    return {}


def _cdn(plan: Plan, cdn: model.Cdn) -> dict[str, Output]:
    from archc.backends.gateway import nginx, varnish

    folder = f"{plan.deploy}/cdn/{cdn.name}"
    if engine_name(cdn) == "nginx":
        return {f"{folder}/nginx.conf": Output(nginx.cdn_conf(plan, cdn))}
    if engine_name(cdn) == "varnish":
        return {f"{folder}/default.vcl": Output(varnish.cdn_vcl(plan, cdn))}
    return {}


BACKEND = Backend(
    name="gateway",
    doc="Configuration of gateways, load balancers and CDNs.",
    part="environment",
    platforms=("compose", "kubernetes"),
    render=render,
)
