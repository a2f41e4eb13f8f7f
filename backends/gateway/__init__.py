"""The way in: configuration of gateways, load balancers and CDNs."""

from archc.backends.backend import Backend, Output, Plan
from archc.backends.facts import engine_name
from archc.compiler import model


def render(plan: Plan) -> dict[str, Output]:
    """The configuration of everything on the way in whose program archc configures.

    Elements with an image or a build folder bring their own.
    """
    from archc.backends.gateway.envoy.bootstrap import envoy_yaml

    outputs = {}
    for gateway in plan.system.all(model.Gateway):
        if engine_name(gateway) == "envoy":
            path = f"{plan.deploy}/gateway/{gateway.name}/envoy.yaml"
            outputs[path] = Output(envoy_yaml(plan.graph, gateway))
    return outputs


BACKEND = Backend(
    name="gateway",
    doc="Gateway, load balancer and CDN configuration",
    part="environment",
    platforms=("compose", "kubernetes"),
    render=render,
)
