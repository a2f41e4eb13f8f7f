"""What the OpenTelemetry Collector takes in and passes on."""

from typing import Any

from archc.backends import facts
from archc.backends.settings import OTLP_PORT
from archc.backends.workloads.management import engine_of, roles
from archc.compiler import model


def collector(management: model.Management) -> dict[str, Any]:
    """config.yaml: OTLP in; out to where logs are kept, else to its own log, in short."""
    by_signal = _exporters(management)
    pipelines = {
        signal: {"receivers": ["otlp"], "processors": ["memory_limiter", "batch"], "exporters": [name]}
        for signal, (name, _) in by_signal.items()
    }
    return {
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"0.0.0.0:{OTLP_PORT}"}}}},
        "processors": {
            "memory_limiter": {"check_interval": "1s", "limit_percentage": 75, "spike_limit_percentage": 20},
            "batch": {},
        },
        "exporters": dict(by_signal.values()),
        "extensions": {"health_check": {"endpoint": "0.0.0.0:13133"}},
        "service": {"extensions": ["health_check"], "pipelines": pipelines},
    }


def _exporters(management: model.Management) -> dict[str, tuple[str, dict[str, Any]]]:
    """The exporter of each signal: its name and its settings."""
    own_log: tuple[str, dict[str, Any]] = ("debug", {"verbosity": "basic"})
    if "logs" not in roles(management):
        return {"traces": own_log}
    logs = facts.program(management, "logs")
    if engine_of(management, "logs") == "elasticsearch":
        elastic = ("elasticsearch", {"endpoints": [f"http://{logs}:9200"]})
        return {"traces": elastic, "logs": elastic}
    return {"traces": own_log, "logs": ("otlphttp", {"logs_endpoint": f"http://{logs}:3100/otlp/v1/logs"})}
