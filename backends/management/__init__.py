"""Management: what Prometheus, Alertmanager, Grafana and the OpenTelemetry Collector are told."""

from archc.backends.backend import Backend, Output, Outputs, Plan
from archc.backends.formats import to_json, to_yaml
from archc.backends.management.grafana import dashboard, dashboards, datasources
from archc.backends.management.metrics import alertmanager, alerts, prometheus
from archc.backends.management.traces import collector
from archc.backends.workloads import workloads
from archc.backends.workloads.management import engine_of, file_of, roles
from archc.compiler import model

__all__ = ["BACKEND"]


def _render(plan: Plan) -> Outputs:
    managements = tuple(plan.system.all(model.Management))
    programs = workloads(plan) if managements else ()
    outputs: dict[str, Output] = {}
    for management in managements:
        files: dict[str, str] = {}
        parts = roles(management)
        if "metrics" in parts:
            files["prometheus.yml"] = to_yaml(prometheus(plan, management, programs))
            files["alerts.yml"] = to_yaml(alerts(plan))
        if "alerts" in parts:
            files["alertmanager.yml"] = to_yaml(alertmanager())
        if "dashboards" in parts:
            files["datasources.yml"] = to_yaml(datasources(management))
            files["dashboards.yml"] = to_yaml(dashboards())
            files["services.json"] = to_json(dashboard(plan))
        if "traces" in parts and engine_of(management, "traces") == "opentelemetry":
            files["collector.yaml"] = to_yaml(collector(management))
        outputs.update({file_of(plan, management, name): Output(text) for name, text in files.items()})
    return outputs


BACKEND = Backend(
    name="management",
    doc="Configuration of what watches the system: metrics, alerts, dashboards and traces.",
    part="environment",
    platforms=("compose", "kubernetes"),
    render=_render,
)
