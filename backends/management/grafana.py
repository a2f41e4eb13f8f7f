"""What Grafana shows: where it reads, and one page about all services."""

from typing import Any

from archc.backends import facts
from archc.backends.backend import Plan
from archc.backends.workloads.management import engine_of, roles
from archc.compiler import model

_RATE = "sum by (job) (rate(http_server_requests_total[5m]))"
_ERRORS = 'sum by (job) (rate(http_server_requests_total{status=~"5.."}[5m]))'
_SLOWEST = (
    "histogram_quantile(0.99, sum by (job, le) (rate(http_server_request_duration_seconds_bucket[5m])))"
)


def datasources(management: model.Management) -> dict[str, Any]:
    """The provisioned data sources: whatever of metrics, logs and traces is kept."""
    types = {
        "metrics": ("prometheus", 9090),
        "loki": ("loki", 3100),
        "elasticsearch": ("elasticsearch", 9200),
        "jaeger": ("jaeger", 16686),
        "zipkin": ("zipkin", 9411),
    }
    sources = []
    for role in roles(management):
        kind = role if role == "metrics" else engine_of(management, role)
        if kind in types:
            name, port = types[kind]
            url = f"http://{facts.program(management, role)}:{port}"
            source: dict[str, Any] = {
                "name": role, "uid": role, "type": name, "access": "proxy", "url": url, "editable": False,
            }  # fmt: skip
            if name == "elasticsearch":
                source["jsonData"] = {"index": "logs-*", "timeField": "@timestamp"}
            sources.append(source)
    return {"apiVersion": 1, "datasources": sources}


def dashboards() -> dict[str, Any]:
    """Where the provisioned pages are."""
    return {
        "apiVersion": 1,
        "providers": [
            {"name": "archc", "type": "file", "options": {"path": "/etc/archc/dashboards"}, "editable": False}
        ],
    }


def dashboard(plan: Plan) -> dict[str, Any]:
    """One page: who is up, how much each service does, how often it fails and how slow it is."""
    panels = [
        _panel(0, "Up", "min by (job) (up)", "none"),
        _panel(1, "Requests", _RATE, "reqps"),
        _panel(2, "Failures", _ERRORS, "reqps"),
        _panel(3, "99th percentile", _SLOWEST, "s"),
    ]
    return {
        "uid": "services",
        "title": "Services",
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "panels": panels,
    }


def _panel(index: int, title: str, expression: str, unit: str) -> dict[str, Any]:
    return {
        "id": index + 1,
        "type": "timeseries",
        "title": title,
        "datasource": {"type": "prometheus", "uid": "metrics"},
        "gridPos": {"x": 12 * (index % 2), "y": 9 * (index // 2), "w": 12, "h": 9},
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
        "targets": [{"refId": "A", "expr": expression, "legendFormat": "{{job}}"}],
    }
