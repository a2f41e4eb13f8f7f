"""The programs that watch a system: metrics, dashboards, alerts, logs and traces, one each."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from archc.backends import facts, settings
from archc.backends.backend import Plan
from archc.backends.engines import ENGINES, image_of
from archc.backends.workload import ConfigFile, SecretFile, Size, Workload, WorkloadPort
from archc.backends.workloads import common, probes
from archc.backends.workloads.stores import elasticsearch
from archc.compiler import model
from archc.compiler.consistency import MANAGEMENT_PARTS

# The program behind each word of a management's block.
_PROGRAMS = {"elastic": "elasticsearch"}
_JAEGER_PORT = 16686
_DATA_BYTES = 5 * 1024 * common.MEBIBYTE


def of_management(plan: Plan, management: model.Management) -> Iterator[Workload]:
    """The programs of a management, those it does without left out."""
    for role in roles(management):
        engine = engine_of(management, role)
        workload = _program(management, role, engine)
        yield _with_patches(_RECIPES[engine](plan, management, workload), management, role)


def roles(management: model.Management) -> tuple[str, ...]:
    """What a management does: some of metrics, dashboards, alerts, logs and traces."""
    return tuple(word for word in MANAGEMENT_PARTS if getattr(management, word))


def engine_of(management: model.Management, role: str) -> str:
    """The engine, by its name in the table of engines, that does one of a management's parts."""
    word: str = getattr(management, role)
    return _PROGRAMS.get(word, word)


def file_of(plan: Plan, management: model.Management, name: str) -> str:
    """A configuration file of a management's programs, in the output tree."""
    return f"{plan.deploy}/monitoring/{management.name}/{name}"


def _program(management: model.Management, role: str, engine: str) -> Workload:
    program = ENGINES[engine]
    workload = Workload(
        name=facts.program(management, role),
        element=management,
        role=role,
        image=image_of(engine),
        ports=(WorkloadPort("http", program.port, program.port),),
        tmp=program.tmp,
        user=program.user,
        group=program.user if program.group is None else program.group,
    )
    return common.with_data(workload, engine, _DATA_BYTES)


def _with_patches(workload: Workload, management: model.Management, role: str) -> Workload:
    """A patch that names a part is for it alone: `patch dashboards`."""

    def for_role(passthrough: model.Passthrough | None) -> tuple[model.Patch, ...]:
        patches = passthrough.patch if passthrough is not None else ()
        return tuple(patch for patch in patches if patch.object in ("", role))

    return replace(
        workload,
        compose_patches=for_role(management.compose),
        kubernetes_patches=management.kubernetes.patch if management.kubernetes is not None else (),
    )


def _peers(management: model.Management, *others: str) -> tuple[str, ...]:
    return tuple(facts.program(management, role) for role in others if role in roles(management))


def _prometheus(plan: Plan, management: model.Management, workload: Workload) -> Workload:
    files = (
        ConfigFile(file_of(plan, management, "prometheus.yml"), "/etc/prometheus/prometheus.yml"),
        ConfigFile(file_of(plan, management, "alerts.yml"), "/etc/prometheus/alerts.yml"),
    )
    return replace(
        workload,
        command=(
            "--config.file=/etc/prometheus/prometheus.yml",
            "--storage.tsdb.path=/prometheus",
            "--storage.tsdb.retention.time=7d",
        ),
        files=files,
        liveness=probes.wget_http(9090, "/-/healthy"),
        readiness=probes.wget_http(9090, "/-/ready"),
        size=common.SIZES["medium"],
        peers=_peers(management, "alerts"),
    )


def _traces_shown(management: model.Management) -> tuple[str, ...]:
    """A collector passes traces on; only what keeps them can show them."""
    return ("traces",) if management.traces in ("jaeger", "zipkin") else ()


def _grafana(plan: Plan, management: model.Management, workload: Workload) -> Workload:
    secret = f"{workload.name}-password"
    provisioning = "/etc/grafana/provisioning"
    files = (
        ConfigFile(file_of(plan, management, "datasources.yml"), f"{provisioning}/datasources/archc.yml"),
        ConfigFile(file_of(plan, management, "dashboards.yml"), f"{provisioning}/dashboards/archc.yml"),
        ConfigFile(file_of(plan, management, "services.json"), "/etc/archc/dashboards/services.json"),
    )
    return replace(
        workload,
        env={
            "GF_SECURITY_ADMIN_PASSWORD__FILE": f"{settings.SECRETS_FOLDER}/{secret}",
            "GF_ANALYTICS_REPORTING_ENABLED": "false",
            "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
            "GF_PLUGINS_PREINSTALL_DISABLED": "true",
            "GF_USERS_ALLOW_SIGN_UP": "false",
        },
        secrets=(SecretFile(secret),),
        files=files,
        liveness=probes.wget_http(3000, "/api/health"),
        readiness=probes.wget_http(3000, "/api/health"),
        size=common.SIZES["medium"],
        start_s=90,
        peers=_peers(management, "metrics", "logs", *_traces_shown(management)),
    )


def _alertmanager(plan: Plan, management: model.Management, workload: Workload) -> Workload:
    return replace(
        workload,
        command=(
            "--config.file=/etc/alertmanager/alertmanager.yml",
            "--storage.path=/alertmanager",
            # One instance: no cluster to gossip with.
            "--cluster.listen-address=",
        ),
        files=(
            ConfigFile(file_of(plan, management, "alertmanager.yml"), "/etc/alertmanager/alertmanager.yml"),
        ),
        liveness=probes.wget_http(9093, "/-/healthy"),
        readiness=probes.wget_http(9093, "/-/ready"),
        size=common.SIZES["small"],
    )


def _collector(plan: Plan, management: model.Management, workload: Workload) -> Workload:
    # The image holds nothing but the program: nobody can look from inside.
    probe = probes.outside_only(probes.bash_http(13133, "/"))
    return replace(
        workload,
        command=("--config=/etc/otelcol/config.yaml",),
        ports=(*workload.ports, WorkloadPort("health", 13133, 13133)),
        files=(ConfigFile(file_of(plan, management, "collector.yaml"), "/etc/otelcol/config.yaml"),),
        liveness=probe,
        readiness=probe,
        size=common.SIZES["medium"],
        peers=_peers(management, "logs"),
    )


def _jaeger(plan: Plan, management: model.Management, workload: Workload) -> Workload:
    probe = probes.outside_only(probes.bash_http(_JAEGER_PORT, "/"))
    return replace(
        workload,
        # Its own configuration listens on the loopback alone.
        command=("--set=receivers.otlp.protocols.http.endpoint=0.0.0.0:4318",),
        ports=(*workload.ports, WorkloadPort("pages", _JAEGER_PORT, _JAEGER_PORT)),
        liveness=probe,
        readiness=probe,
        size=common.SIZES["medium"],
    )


def _zipkin(plan: Plan, management: model.Management, workload: Workload) -> Workload:
    probe = probes.wget_http(9411, "/health")
    return replace(
        workload,
        env={"JAVA_OPTS": "-Xmx256m"},
        liveness=probe,
        readiness=probe,
        size=common.SIZES["medium"],
        start_s=60,
    )


def _loki(plan: Plan, management: model.Management, workload: Workload) -> Workload:
    probe = probes.outside_only(probes.bash_http(3100, "/ready"))
    return replace(
        workload,
        command=("-config.file=/etc/loki/local-config.yaml",),
        liveness=probe,
        readiness=probe,
        size=Size(500, 512 * common.MEBIBYTE),
    )


_RECIPES: dict[str, Callable[[Plan, model.Management, Workload], Workload]] = {
    "prometheus": _prometheus,
    "grafana": _grafana,
    "alertmanager": _alertmanager,
    "opentelemetry": _collector,
    "jaeger": _jaeger,
    "zipkin": _zipkin,
    "elasticsearch": lambda plan, management, workload: elasticsearch(workload),
    "loki": _loki,
}
