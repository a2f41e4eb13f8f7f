"""What watches the system is told of every program that has measurements, and of nothing else."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from archc.backends import management, registry
from archc.backends.backend import Outputs, Plan
from archc.backends.workloads import workloads
from archc.compiler.pipeline import compile_source
from docs.log_broker import metrics

SYSTEM = """
system s {
  management ops {
    metrics prometheus; dashboards grafana; alerts alertmanager; logs LOGS; traces opentelemetry
  }
  registry names { engine consul }
  broker events
  gateway g { route /a -> a }
  service a { rest { GET /a } }
  service b { image "registry.example/b:1"; port 81; health tcp; metrics /stats; rpc { Ask } }
  service c { image "registry.example/c:1"; port 82; health grpc }
  service d { image "registry.example/d:1"; port 83; health command=["/well"] }
}
environment local { platform compose; profile dev }
"""
FOLDER = "deploy/local/monitoring/ops"


def plan_of(logs: str) -> Plan:
    compilation = compile_source({"s.arch": SYSTEM.replace("LOGS", logs)}, "local")
    assert compilation.system is not None, compilation.diagnostics
    return Plan(compilation, compilation.system, compilation.graph)


def outputs_of(logs: str = "elastic") -> Outputs:
    return management.BACKEND.render(plan_of(logs))


def data_of(name: str, logs: str = "elastic") -> Any:
    return yaml.safe_load(outputs_of(logs)[f"{FOLDER}/{name}"].content)


def test_prometheus_asks_everybody_who_has_measurements() -> None:
    jobs = {job["job_name"]: job for job in data_of("prometheus.yml")["scrape_configs"]}
    assert sorted(jobs) == ["a", "b", "events", "g", "prometheus"]
    assert (jobs["events"]["metrics_path"], jobs["events"]["dns_sd_configs"][0]["port"]) == ("/metrics", 9902)
    (found,) = jobs["b"]["dns_sd_configs"]
    assert (found["names"], found["port"], jobs["b"]["metrics_path"]) == (["b"], 81, "/stats")
    peers = next(w.peers for w in workloads(plan_of("elastic")) if w.name == "ops-metrics")
    assert {*jobs} - {"prometheus"} | {"ops-alerts"} == set(peers)


def test_alerts_ask_for_what_is_measured() -> None:
    known = {"up", *(name for name, *_ in metrics())}
    asked = [rule["expr"] for group in data_of("alerts.yml")["groups"] for rule in group["rules"]]
    assert len(asked) == 3
    for expression in asked:
        assert set(re.findall(r"[a-z_]+", expression)) <= known


@pytest.mark.parametrize("logs", ["elastic", "loki"])
def test_the_collectors_pipelines_use_what_is_there(logs: str) -> None:
    config = data_of("collector.yaml", logs)
    for pipeline in config["service"]["pipelines"].values():
        for kind in ("receivers", "processors", "exporters"):
            assert set(pipeline[kind]) <= config[kind].keys()
    assert "ops-logs" in json.dumps(config["exporters"])


def test_grafana_reads_what_is_kept() -> None:
    sources = {source["uid"]: source["url"] for source in data_of("datasources.yml")["datasources"]}
    assert sources == {"metrics": "http://ops-metrics:9090", "logs": "http://ops-logs:9200"}
    page = json.loads(outputs_of()[f"{FOLDER}/services.json"].content)
    assert {panel["datasource"]["uid"] for panel in page["panels"]} <= sources.keys()


def test_consul_knows_each_service_and_how_to_ask_it() -> None:
    outputs = registry.BACKEND.render(plan_of("elastic"))
    services = json.loads(outputs["deploy/local/registry/names/services.json"].content)["services"]
    checks = {service["name"]: service.get("checks", []) for service in services}
    assert sorted(checks) == ["a", "b", "c", "d"]
    assert checks["a"][0]["http"] == "http://a:8080/health/ready"
    assert checks["b"][0]["tcp"] == "b:81"
    assert checks["c"][0]["grpc"] == "c:82"
    assert checks["d"] == []


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian: prometheus) is not installed")
def test_prometheus_takes_its_files(tmp_path: Path) -> None:
    for name in ("prometheus.yml", "alerts.yml"):
        (tmp_path / name).write_text(outputs_of()[f"{FOLDER}/{name}"].content.replace("/etc/prometheus/", ""))
    done = subprocess.run(
        ["promtool", "check", "config", "prometheus.yml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
