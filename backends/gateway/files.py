"""Which files the gateway backend writes for which element, and where its program looks for them."""

from archc.backends.facts import container_port, engine_name
from archc.compiler import model

# By kind and engine: the file's name in the element's folder, and its place in the image.
_FILES: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {
    ("gateway", "envoy"): (
        ("envoy.yaml", "/etc/envoy/envoy.yaml"),
        ("drain.sh", "/etc/envoy/drain.sh"),
    ),
    ("load-balancer", "nginx"): (("nginx.conf", "/etc/nginx/nginx.conf"),),
    ("load-balancer", "haproxy"): (("haproxy.cfg", "/usr/local/etc/haproxy/haproxy.cfg"),),
    ("cdn", "nginx"): (("nginx.conf", "/etc/nginx/nginx.conf"),),
    ("cdn", "varnish"): (("default.vcl", "/etc/varnish/default.vcl"),),
}


def files_of(element: model.Element) -> tuple[tuple[str, str], ...]:
    """An element's files: name in its folder, place in the image. Empty where archc configures nothing."""
    return _FILES.get((element.kind, engine_name(element)), ())


def entrypoint_of(element: model.Element) -> tuple[str, ...]:
    """What starts the element's program; empty for what its image does by itself."""
    if not files_of(element):
        return ()
    if engine_name(element) == "envoy":
        return ("bash", "/etc/envoy/drain.sh")
    if engine_name(element) == "varnish":
        listen = f"http=:{container_port(element)},HTTP"
        return ("varnishd", "-F", "-f", "/etc/varnish/default.vcl", "-a", listen, "-s", "malloc,100M")
    return ()


def folder_of(deploy: str, element: model.Element) -> str:
    """The folder of an element's files, `deploy` being the environment's."""
    return f"{deploy}/{element.kind}/{element.name}"
