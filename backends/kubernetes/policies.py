"""Network policies: nothing is reached but along an edge of the graph.

Every namespace denies both directions by default. Each edge is allowed on both ends, with namespace and pod
selectors in one element, so that both must match.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from archc.backends.kubernetes.names import Cluster, Manifest
from archc.backends.workload import Workload
from archc.compiler import model

# Where an external system cannot be: private ranges (RFC 1918), shared address space (RFC 6598), loopback and
# link-local addresses, the clouds' metadata services among them.
NOT_OUTSIDE = (
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
)
_SCHEME_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "amqps": 5671, "ftp": 21, "smtp": 25}


def namespace_policies(cluster: Cluster) -> tuple[Manifest, ...]:
    """For each namespace: deny everything, then let names be looked up."""
    return tuple(policy for name in cluster.namespaces for policy in (_deny_all(name), _allow_dns(name)))


def workload_policies(cluster: Cluster, workload: Workload) -> Iterator[Manifest]:
    """Who may reach a workload, and whom it may reach."""
    ingress = [
        _from(cluster, caller, workload) for caller in cluster.callers[workload.name] if _ports(workload)
    ]
    if workload.name in cluster.entered and workload.ports:
        ingress.append({"ports": [_port(workload.ports[0].inside)]})
    peers = (cluster.by_name[name] for name in workload.peers if name in cluster.by_name)
    egress = [_to(cluster, peer) for peer in peers if _ports(peer)]
    ports = _outside_ports(cluster, workload)
    if ports:
        block = {"cidr": "0.0.0.0/0", "except": list(NOT_OUTSIDE)}
        egress.append({"to": [{"ipBlock": block}], "ports": [_port(port) for port in ports]})
    spec: dict[str, Any] = {"podSelector": {"matchLabels": cluster.selector(workload)}, "policyTypes": []}
    for direction, rules in (("Ingress", ingress), ("Egress", egress)):
        if rules:
            spec["policyTypes"].append(direction)
            spec[direction.lower()] = rules
    if spec["policyTypes"]:
        yield {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": cluster.metadata(workload),
            "spec": spec,
        }


def _deny_all(namespace: str) -> Manifest:
    return _policy(namespace, "deny-all", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})


def _allow_dns(namespace: str) -> Manifest:
    server = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
    }
    rule = {"to": [server], "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]}
    return _policy(namespace, "allow-dns", {"podSelector": {}, "policyTypes": ["Egress"], "egress": [rule]})


def _policy(namespace: str, name: str, spec: dict[str, Any]) -> Manifest:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }


def _from(cluster: Cluster, caller: Workload, workload: Workload) -> dict[str, Any]:
    return {"from": [_pods(cluster, caller)], "ports": _ports(workload)}


def _to(cluster: Cluster, peer: Workload) -> dict[str, Any]:
    return {"to": [_pods(cluster, peer)], "ports": _ports(peer)}


def _pods(cluster: Cluster, workload: Workload) -> dict[str, Any]:
    return {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": cluster.namespace(workload)}},
        "podSelector": {"matchLabels": cluster.selector(workload)},
    }


def _ports(workload: Workload) -> list[dict[str, Any]]:
    numbers = {port.inside for port in workload.ports}
    if workload.metrics_port:
        numbers.add(workload.metrics_port)
    return [_port(number) for number in sorted(numbers)]


def _port(number: int) -> dict[str, Any]:
    return {"port": number, "protocol": "TCP"}


def _outside_ports(cluster: Cluster, workload: Workload) -> list[int]:
    """The ports of the external systems a workload calls."""
    ports: set[int] = set()
    for external in cluster.plan.system.all(model.External):
        parts = urlsplit(external.url)
        if parts.hostname is not None and parts.hostname in workload.external:
            ports.add(parts.port or _SCHEME_PORTS.get(parts.scheme, 443))
    return sorted(ports) or ([443] if workload.external else [])
