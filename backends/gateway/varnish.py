"""Varnish as CDN: like nginx, but a stale answer is given no longer than the file says."""

import re

from archc.backends.backend import Plan
from archc.backends.gateway.envoy.messages import path_regex
from archc.backends.gateway.front import ANY_HOST, split_address
from archc.backends.gateway.places import Place, cdn_site
from archc.backends.gateway.rendering import Pattern, render
from archc.compiler import model
from archc.compiler.paths import segments


def cdn_vcl(plan: Plan, cdn: model.Cdn) -> str:
    """The file default.vcl of a CDN."""
    site = cdn_site(plan, cdn)
    hosts = [] if site.hosts == (ANY_HOST,) else site.hosts
    return render(
        "default.vcl.j2",
        site=site,
        hosts=Pattern("|".join(map(_host, hosts))),
        health_path=site.health_path,
        backends=[
            (_backend(target.name), *split_address(target.addresses[0]), target.health_path)
            for target in site.targets
        ],
        places=[(_match(place), place, _backend(place.target.name)) for place in site.places],
    )


def _backend(name: str) -> str:
    return f"to_{name}"


def _host(host: str) -> str:
    if host.startswith("*"):
        return r"[^.]+(?:\.[^.]+)*" + re.escape(host.removeprefix("*"))
    return re.escape(host)


def _match(place: Place) -> Pattern:
    """The path as it stands in the request line, so escapes are escapes."""
    parts = segments(place.path)
    return Pattern(f"^{path_regex(parts)}(?:[/?]|$)" if parts else "^")
