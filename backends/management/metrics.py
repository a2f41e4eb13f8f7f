"""What Prometheus scrapes and warns of, and whom Alertmanager tells."""

from typing import Any

from archc.backends import facts
from archc.backends.backend import Plan
from archc.backends.workload import Workload
from archc.backends.workloads.management import roles
from archc.compiler import model
from archc.compiler.graph import is_bundled


def prometheus(plan: Plan, management: model.Management, programs: tuple[Workload, ...]) -> dict[str, Any]:
    """prometheus.yml: a scrape job for each element the graph says is scraped."""
    by_name = {workload.name: workload for workload in programs}
    jobs: list[dict[str, Any]] = [
        {"job_name": "prometheus", "static_configs": [{"targets": ["localhost:9090"]}]}
    ]
    for edge in plan.graph.edges_from(management.id, ("scrape",)):
        workload = by_name.get(plan.system[edge.target].name)
        if workload is not None and workload.metrics_port:
            jobs.append(_job(workload))
    config: dict[str, Any] = {
        "global": {"scrape_interval": "15s", "evaluation_interval": "15s"},
        "rule_files": ["/etc/prometheus/alerts.yml"],
        "scrape_configs": jobs,
    }
    if "alerts" in roles(management):
        target = f"{facts.program(management, 'alerts')}:9093"
        config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [target]}]}]}
    return config


def _job(workload: Workload) -> dict[str, Any]:
    return {
        "job_name": workload.name,
        "metrics_path": workload.metrics_path,
        # Every instance behind the name, not one of them by chance.
        "dns_sd_configs": [{"names": [workload.name], "type": "A", "port": workload.metrics_port}],
    }


def alerts(plan: Plan) -> dict[str, Any]:
    """alerts.yml: what somebody should look at."""
    rules = [_alert("InstanceDown", "up == 0", "2m", "{{ $labels.instance }} does not answer")]
    if any(is_bundled(broker) for broker in plan.system.all(model.Broker)):
        rules += [
            _alert("PartitionsOffline", "logbroker_offline_partitions > 0", "0m", "a disk of it failed"),
            _alert(
                "BrokerDiskFull",
                "logbroker_disk_free_bytes / logbroker_disk_size_bytes < 0.1",
                "5m",
                "its disk has less than a tenth left",
            ),
        ]
    return {"groups": [{"name": "archc", "rules": rules}]}


def _alert(name: str, expression: str, after: str, text: str) -> dict[str, Any]:
    return {
        "alert": name,
        "expr": expression,
        "for": after,
        "labels": {"severity": "page"},
        "annotations": {"summary": f"{{{{ $labels.job }}}}: {text}"},
    }


def alertmanager() -> dict[str, Any]:
    """alertmanager.yml: alerts are kept and shown; whom to tell is for a person to fill in."""
    return {
        "route": {"receiver": "shown-only", "group_by": ["alertname", "job"]},
        "receivers": [{"name": "shown-only"}],
    }
