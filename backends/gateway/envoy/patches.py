"""What the `envoy` block of a gateway says besides: patches merged into the configuration."""

from collections.abc import Callable

from archc.backends.formats import merge, read_yaml
from archc.backends.gateway.envoy.messages import Message
from archc.compiler import model


def patched(bootstrap: Message, gateway: model.Gateway) -> Message:
    """The configuration with the patches, the innermost first, so that none pulls the floor from another."""
    written = gateway.envoy.patch if gateway.envoy is not None else ()
    for what, apply in _APPLY.items():
        for patch in written:
            if patch.object == what:
                bootstrap = apply(bootstrap, read_yaml(patch.yaml))
    return bootstrap


def _route(bootstrap: Message, patch: Message) -> Message:
    def change(config: Message) -> Message:
        routes = config["route_config"]
        virtual_hosts = [
            {**host, "routes": [_if_meant(route, patch) for route in host["routes"]]}
            for host in routes["virtual_hosts"]
        ]
        return {**config, "route_config": {**routes, "virtual_hosts": virtual_hosts}}

    return _with_manager(bootstrap, change)


def _http(bootstrap: Message, patch: Message) -> Message:
    return _with_manager(bootstrap, lambda config: merged(config, patch))


def _listener(bootstrap: Message, patch: Message) -> Message:
    return _with_listener(bootstrap, lambda listener: merged(listener, patch))


def _cluster(bootstrap: Message, patch: Message) -> Message:
    resources = bootstrap["static_resources"]
    clusters = [_if_meant(cluster, patch) for cluster in resources["clusters"]]
    return {**bootstrap, "static_resources": {**resources, "clusters": clusters}}


def _whole(bootstrap: Message, patch: Message) -> Message:
    return merged(bootstrap, patch)


_APPLY: dict[str, Callable[[Message, Message], Message]] = {
    "route": _route,
    "http": _http,
    "listener": _listener,
    "cluster": _cluster,
    "": _whole,
}


def merged(message: Message, patch: Message) -> Message:
    """The message with a patch merged into it."""
    made: Message = merge(message, patch)
    return made


def _if_meant(message: Message, patch: Message) -> Message:
    """The message with the patch, unless that names another."""
    return merged(message, patch) if patch.get("name", message["name"]) == message["name"] else message


def _with_listener(bootstrap: Message, change: Callable[[Message], Message]) -> Message:
    resources = bootstrap["static_resources"]
    ingress, *others = resources["listeners"]
    return {**bootstrap, "static_resources": {**resources, "listeners": [change(ingress), *others]}}


def _with_manager(bootstrap: Message, change: Callable[[Message], Message]) -> Message:
    """With the connection manager of the listener changed, where nearly all settings are."""

    def change_listener(listener: Message) -> Message:
        (chain,) = listener["filter_chains"]
        (manager,) = chain["filters"]
        filters = [{**manager, "typed_config": change(manager["typed_config"])}]
        return {**listener, "filter_chains": [{**chain, "filters": filters}]}

    return _with_listener(bootstrap, change_listener)
