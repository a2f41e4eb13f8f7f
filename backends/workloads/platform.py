"""Brokers, identity providers and registries as workloads."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from archc.backends import facts, settings
from archc.backends.backend import Plan
from archc.backends.engines import ELSEWHERE, ENGINES
from archc.backends.workload import BuildFolder, ConfigFile, Probe, SecretFile, Size, Workload, WorkloadPort
from archc.backends.workloads import common, probes
from archc.compiler import model

Recipe = Callable[[Plan, model.Runnable, Workload], Workload]

# Brokers whose topics a program beside them makes.
_TOLD_BY_SCRIPT = ("kafka", "redpanda")
_CONTROLLER_PORT = 9093
_KEYCLOAK_MANAGEMENT_PORT = 9000


def of_platform(plan: Plan, element: model.Broker | model.Identity | model.Registry) -> Iterator[Workload]:
    """The programs that run a broker, an identity provider or a registry; none if somebody else runs it."""
    engine = facts.engine_name(element)
    if engine in ELSEWHERE:
        return
    if engine == "dev" and isinstance(element, model.Identity):
        yield _issuer(plan, element)
    elif engine in ENGINES:
        workload = common.from_engine(plan, element)
        size_bytes = element.storage_bytes if isinstance(element, model.Broker) else 0
        yield RECIPES[engine](plan, element, common.with_data(workload, engine, size_bytes))
    else:
        yield common.from_image(plan, element)
    if isinstance(element, model.Broker):
        yield from _topics(plan, element)


# ---- brokers


def broker_folder(plan: Plan, broker: model.Broker) -> str:
    """The folder the bundled broker's image is built from, in the output tree."""
    return f"{plan.deploy}/brokers/{broker.name}"


def topics_name(broker: model.Broker) -> str:
    """The host name of the program that makes a broker's topics and ends."""
    return f"{broker.name}-topics"


def topics_file(plan: Plan, broker: model.Broker) -> str:
    """The script that makes a broker's topics, in the output tree."""
    return f"{plan.deploy}/brokers/{broker.name}/topics.sh"


def makes_topics(plan: Plan, broker: model.Broker) -> bool:
    """Whether there are topics to make before anybody publishes or consumes."""
    ids = {topic.id for topic in plan.system.all(model.Topic) if topic.on == broker.id}
    used = any(edge.target in ids for edge in plan.graph.of_kinds(("publish", "consume")))
    return used and facts.engine_name(broker) in _TOLD_BY_SCRIPT


def _topics(plan: Plan, broker: model.Broker) -> Iterator[Workload]:
    if not makes_topics(plan, broker):
        return
    workload = common.from_engine(plan, broker)
    shell = ("bash", "/etc/archc/topics.sh")
    yield replace(
        workload,
        name=topics_name(broker),
        role="topics",
        entrypoint=shell,
        ports=(),
        tmp=("/tmp",),
        files=(ConfigFile(topics_file(plan, broker), shell[1]),),
        env={"BOOTSTRAP": facts.reached_at(plan.system, broker), "KAFKA_HEAP_OPTS": "-Xmx128m"},
        liveness=None,
        readiness=None,
        size=Size(1000, 384 * common.MEBIBYTE),
        once=True,
        peers=(broker.name,),
        needs=(broker.name,),
    )


def _logbroker(plan: Plan, broker: model.Runnable, workload: Workload) -> Workload:
    assert isinstance(broker, model.Broker)
    port = workload.ports[0].inside
    return replace(
        workload,
        image=common.built_image(plan, broker),
        build=BuildFolder(broker_folder(plan, broker)),
        ports=(*workload.ports, WorkloadPort("metrics", facts.METRICS_PORT, facts.METRICS_PORT)),
        command=(
            # A folder below the mount: some file systems put a lost+found into the mount itself.
            "--data", f"{workload.volumes[0].path}/data",
            "--listen", f"0.0.0.0:{port}", "--advertise", f"{broker.name}:{port}",
            "--http", f"0.0.0.0:{facts.METRICS_PORT}", "--topics", "/etc/logbroker/topics.json",
            # Topics are declared; a misspelt name is a mistake, not a new topic.
            "--no-auto-create-topics",
        ),
        metrics_path="/metrics",
        metrics_port=facts.METRICS_PORT,
        liveness=probes.python_http(facts.METRICS_PORT, "/healthz"),
        readiness=probes.python_http(facts.METRICS_PORT, "/readyz"),
        # It has 30 MB when it idles, and up to 100 MB more for each client that sends as much at once.
        size=Size(500, 256 * common.MEBIBYTE),
        # After a crash it reads what was not known to be on the disk.
        start_s=300,
    )  # fmt: skip


def _kafka(plan: Plan, broker: model.Runnable, workload: Workload) -> Workload:
    port = workload.ports[0].inside
    return replace(
        workload,
        env={
            "KAFKA_NODE_ID": "1",
            "KAFKA_PROCESS_ROLES": "broker,controller",
            "KAFKA_LISTENERS": f"PLAINTEXT://:{port},CONTROLLER://:{_CONTROLLER_PORT}",
            "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{broker.name}:{port}",
            "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
            "KAFKA_CONTROLLER_QUORUM_VOTERS": f"1@localhost:{_CONTROLLER_PORT}",
            "KAFKA_INTER_BROKER_LISTENER_NAME": "PLAINTEXT",
            "KAFKA_LOG_DIRS": workload.volumes[0].path,
            # One node: nothing can be kept on two.
            "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
            "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
            "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
            "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR": "1",
            "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR": "1",
            "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
            # Topics are declared; a misspelt name is a mistake, not a new topic.
            "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
            "KAFKA_HEAP_OPTS": "-Xms256m -Xmx512m",
        },
        size=common.HEAVY,
        start_s=90,
        grace_s=60,
    )


def _redpanda(plan: Plan, broker: model.Runnable, workload: Workload) -> Workload:
    port = workload.ports[0].inside
    return replace(
        workload,
        command=(
            "redpanda", "start", "--mode", "dev-container", "--smp", "1", "--memory", "768M",
            "--kafka-addr", f"0.0.0.0:{port}", "--advertise-kafka-addr", f"{broker.name}:{port}",
        ),
        size=common.HEAVY,
        start_s=60,
    )  # fmt: skip


def _rabbitmq(plan: Plan, broker: model.Runnable, workload: Workload) -> Workload:
    secret = settings.password_secret(broker)
    return replace(
        workload,
        env={"RABBITMQ_DEFAULT_USER": settings.database_name(broker)},
        secret_env={"RABBITMQ_DEFAULT_PASS": secret},
        secrets=(SecretFile(secret),),
        readiness=probes.by_command("rabbitmq-diagnostics", "-q", "check_port_connectivity"),
        size=common.SIZES["medium"],
        start_s=90,
        grace_s=60,
    )


# ---- identity


def realm_file(plan: Plan, identity: model.Identity) -> str:
    """What the provider is told: Keycloak's realm, or the small issuer's settings; in the output tree."""
    return f"{identity_folder(plan, identity)}/realm.json"


def identity_folder(plan: Plan, identity: model.Identity) -> str:
    """The folder of an identity provider's files in the output tree."""
    return f"{plan.deploy}/identity/{identity.name}"


def key_secret(identity: model.Identity) -> str:
    """The name of the secret with the small issuer's signing key."""
    return f"{identity.name}-key"


def client_secret(system: model.System, client: model.Client) -> str:
    """The name of the secret that a client authenticates with."""
    return f"{system[client.app].name}-client-secret"


def client_secrets(system: model.System, identity: model.Identity) -> tuple[tuple[model.Client, str], ...]:
    """The clients of a provider that have a secret, and its name."""
    return tuple(
        (client, client_secret(system, client)) for client in identity.client if client.flow == "credentials"
    )


def client_secret_variable(system: model.System, client: model.Client) -> str:
    """The variable that Keycloak reads a client's secret from while it imports its realm."""
    return f"CLIENT_SECRET_{system[client.app].name.replace('-', '_').upper()}"


def _issuer(plan: Plan, identity: model.Identity) -> Workload:
    port = facts.SERVICE_PORT
    secrets = [SecretFile(key_secret(identity), "rsa-key")]
    secrets += [SecretFile(name) for _, name in client_secrets(plan.system, identity)]
    return Workload(
        name=identity.name,
        element=identity,
        role=identity.kind,
        image=common.built_image(plan, identity),
        build=BuildFolder(identity_folder(plan, identity)),
        ports=(WorkloadPort("http", port, port),),
        env={
            "SETTINGS_FILE": "/etc/issuer/realm.json",
            "KEY_FILE": f"{settings.SECRETS_FOLDER}/{key_secret(identity)}",
        },
        secrets=common.unique_secrets(secrets),
        files=(ConfigFile(realm_file(plan, identity), "/etc/issuer/realm.json"),),
        liveness=probes.python_http(port, "/health/live"),
        readiness=probes.python_http(port, "/health/ready"),
        size=common.SIZES["small"],
    )


def _keycloak(plan: Plan, identity: model.Runnable, workload: Workload) -> Workload:
    assert isinstance(identity, model.Identity)
    admin = settings.password_secret(identity)
    clients = client_secrets(plan.system, identity)
    public = facts.issuer(plan.system, identity).rpartition("/realms/")[0]
    management = WorkloadPort("management", _KEYCLOAK_MANAGEMENT_PORT, _KEYCLOAK_MANAGEMENT_PORT)
    return replace(
        workload,
        # Built beforehand, so that it starts fast and need not write into its own image.
        image=common.built_image(plan, identity),
        build=BuildFolder(identity_folder(plan, identity)),
        ports=(replace(workload.ports[0], name="http", protocol="http"), management),
        env={
            "KC_HOSTNAME": public,
            "KC_HOSTNAME_BACKCHANNEL_DYNAMIC": "true",
            "KC_HTTP_ENABLED": "true",
            "KC_BOOTSTRAP_ADMIN_USERNAME": "admin",
            "JAVA_OPTS_KC_HEAP": "-Xms128m -Xmx512m",
        },
        secret_env={
            "KC_BOOTSTRAP_ADMIN_PASSWORD": admin,
            **{client_secret_variable(plan.system, client): name for client, name in clients},
        },
        secrets=common.unique_secrets([SecretFile(admin), *(SecretFile(name) for _, name in clients)]),
        files=(ConfigFile(realm_file(plan, identity), "/opt/keycloak/data/import/realm.json"),),
        liveness=_keycloak_probe("/health/live"),
        readiness=_keycloak_probe("/health/ready"),
        size=common.HEAVY,
        start_s=180,
    )


def _keycloak_probe(path: str) -> Probe:
    return probes.bash_http(_KEYCLOAK_MANAGEMENT_PORT, path)


# ---- registries


def registry_file(plan: Plan, registry: model.Registry) -> str:
    """The services a Consul agent knows of, in the output tree."""
    return f"{plan.deploy}/registry/{registry.name}/services.json"


def _consul(plan: Plan, registry: model.Runnable, workload: Workload) -> Workload:
    assert isinstance(registry, model.Registry)
    return replace(
        workload,
        ports=(replace(workload.ports[0], name="http", protocol="http"),),
        command=(
            "agent", "-server", "-bootstrap-expect=1", "-ui", "-client=0.0.0.0", "-bind=127.0.0.1",
            "-log-level=warn", f"-node={registry.name}",
        ),
        env={"CONSUL_DISABLE_PERM_MGMT": "true", "HOME": "/tmp"},
        files=(ConfigFile(registry_file(plan, registry), "/consul/config/services.json"),),
        # Fails until a leader is elected.
        readiness=probes.by_command("consul", "operator", "raft", "list-peers"),
        liveness=probes.by_command("consul", "info"),
        start_s=60,
    )  # fmt: skip


def _zookeeper(plan: Plan, registry: model.Runnable, workload: Workload) -> Workload:
    return replace(
        workload,
        env={"ZOO_DATA_LOG_DIR": "/data/log", "ZOO_ADMINSERVER_ENABLED": "false", "JVMFLAGS": "-Xmx256m"},
        size=common.SIZES["medium"],
        start_s=60,
    )


def _eureka(plan: Plan, registry: model.Runnable, workload: Workload) -> Workload:
    probe = probes.wget_http(workload.ports[0].inside, "/actuator/health")
    return replace(
        workload,
        ports=(replace(workload.ports[0], name="http", protocol="http"),),
        readiness=probe,
        liveness=probe,
        size=common.SIZES["medium"],
        start_s=120,
    )


RECIPES: dict[str, Recipe] = {
    "logbroker": _logbroker,
    "kafka": _kafka,
    "redpanda": _redpanda,
    "rabbitmq": _rabbitmq,
    "keycloak": _keycloak,
    "consul": _consul,
    "zookeeper": _zookeeper,
    "eureka": _eureka,
}
