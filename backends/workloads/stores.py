"""Databases, instances, caches, search engines and buckets as workloads."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from archc.backends import facts, settings
from archc.backends.backend import Plan
from archc.backends.engines import ELSEWHERE, ENGINES
from archc.backends.workload import ConfigFile, Probe, SecretFile, Workload
from archc.backends.workloads import common, probes
from archc.compiler import model

# The share of its memory limit that a cache may fill with data.
_CACHE_SHARE = 0.75
# Since this version PostgreSQL's image keeps its data a level higher, in a folder for each version.
_POSTGRES_DATA_MOVED = 18
_SEARCH_HEAP = "-Xms512m -Xmx512m"


def of_store(plan: Plan, store: model.Store) -> Iterator[Workload]:
    """The program that keeps a store's data; none for a store that sits on an instance."""
    if store.on:
        return
    engine = facts.engine_name(store)
    if engine in ELSEWHERE:
        return
    if engine not in ENGINES:
        yield replace(common.from_image(plan, store), stateful=True, size=common.HEAVY)
        return
    workload = common.from_engine(plan, store)
    workload = common.with_data(workload, engine, store.storage_bytes, keep=_keeps(store))
    yield RECIPES[engine](plan, store, workload)


def logical_databases(system: model.System, host: model.Store) -> tuple[model.Database, ...]:
    """The databases on a server: itself, or those that name it as theirs."""
    if isinstance(host, model.Database):
        return (host,)
    return tuple(database for database in system.all(model.Database) if database.on == host.id)


def superuser_secret(host: model.Store) -> str:
    """The name of the secret with a database server's own password."""
    return f"{host.name}-superuser"


def init_file(plan: Plan, host: model.Store) -> str:
    """The script that makes a server's databases and their users on the first start, in the output tree."""
    endings = {"postgres": "sql", "mysql": "sh", "mongodb": "js"}
    return f"{plan.deploy}/stores/{host.name}/init.{endings[facts.engine_name(host)]}"


def _keeps(store: model.Store) -> bool:
    if isinstance(store, model.Cache):
        return bool(store.storage_bytes)
    if isinstance(store, model.Instance) and facts.engine_name(store) in ("redis", "memcached"):
        return bool(store.storage_bytes)
    return not getattr(store, "ephemeral", False)


def _init(plan: Plan, host: model.Store, workload: Workload) -> Workload:
    """The init script and the secrets it needs: the superuser's and one for each logical database."""
    source = init_file(plan, host)
    target = f"/docker-entrypoint-initdb.d/10-databases.{source.rpartition('.')[2]}"
    names = [superuser_secret(host)]
    names += [settings.password_secret(database) for database in logical_databases(plan.system, host)]
    return replace(
        workload,
        files=(*workload.files, ConfigFile(source, target)),
        secrets=common.unique_secrets((*workload.secrets, *map(SecretFile, names))),
    )


def _postgres(plan: Plan, store: model.Store, workload: Workload) -> Workload:
    major = workload.image.partition(":")[2].partition("-")[0].partition(".")[0]
    folder = "/var/lib/postgresql/data"
    if major.isdigit() and int(major) >= _POSTGRES_DATA_MOVED:
        moved = tuple(replace(volume, path="/var/lib/postgresql") for volume in workload.volumes)
        workload, folder = replace(workload, volumes=moved), f"/var/lib/postgresql/{major}"
    ready = probes.by_command("pg_isready", "-q", "-h", "127.0.0.1", "-U", "postgres")
    return replace(
        _init(plan, store, workload),
        env={
            # A folder below the mount: some file systems put a lost+found into the mount itself.
            "PGDATA": f"{folder}/cluster",
            "POSTGRES_PASSWORD_FILE": f"{settings.SECRETS_FOLDER}/{superuser_secret(store)}",
        },
        readiness=ready,
        liveness=ready,
        size=common.SIZES["medium"],
        start_s=60,
        grace_s=60,
    )


def _mysql(plan: Plan, store: model.Store, workload: Workload) -> Workload:
    # Answers also when it refuses the user: it serves.
    ready = probes.by_command("mysqladmin", "ping", "--silent", "-h", "127.0.0.1", "--protocol", "tcp")
    return replace(
        _init(plan, store, workload),
        env={"MYSQL_ROOT_PASSWORD_FILE": f"{settings.SECRETS_FOLDER}/{superuser_secret(store)}"},
        readiness=ready,
        liveness=ready,
        size=common.HEAVY,
        start_s=120,
        grace_s=60,
    )


def _mongodb(plan: Plan, store: model.Store, workload: Workload) -> Workload:
    return replace(
        _init(plan, store, workload),
        env={
            "MONGO_INITDB_ROOT_USERNAME": "root",
            "MONGO_INITDB_ROOT_PASSWORD_FILE": f"{settings.SECRETS_FOLDER}/{superuser_secret(store)}",
            # Its shell keeps its history in its home.
            "HOME": "/tmp",
        },
        readiness=probes.by_command("mongosh", "--quiet", "--eval", "db.runCommand({ping: 1}).ok || quit(1)"),
        size=common.HEAVY,
        start_s=60,
        grace_s=60,
    )


def _cassandra(plan: Plan, store: model.Store, workload: Workload) -> Workload:
    return replace(
        workload,
        env={"MAX_HEAP_SIZE": "768M", "HEAP_NEWSIZE": "128M", "CASSANDRA_ENDPOINT_SNITCH": "SimpleSnitch"},
        size=replace(common.HEAVY, memory_bytes=2048 * common.MEBIBYTE),
        start_s=180,
        grace_s=60,
    )


def _redis(plan: Plan, store: model.Store, workload: Workload) -> Workload:
    # A cache forgets its oldest entries when it is full; data that is to last is refused instead.
    kept = workload.stateful
    memory = f"{int(workload.size.memory_bytes * _CACHE_SHARE) // common.MEBIBYTE}mb"
    caches = max(16, sum(cache.on == store.id for cache in plan.system.all(model.Cache)))
    ready = probes.by_command("redis-cli", "ping")
    return replace(
        workload,
        command=(
            "redis-server", "--save", "", "--appendonly", "yes" if kept else "no", "--maxmemory", memory,
            "--maxmemory-policy", "noeviction" if kept else "allkeys-lru", "--databases", str(caches),
        ),
        readiness=ready,
        liveness=ready,
    )  # fmt: skip


def _memcached(plan: Plan, store: model.Store, workload: Workload) -> Workload:
    memory = int(workload.size.memory_bytes * _CACHE_SHARE) // common.MEBIBYTE
    return replace(workload, command=("memcached", "-m", str(memory), "-c", "1024"))


def elasticsearch(workload: Workload) -> Workload:
    """A single Elasticsearch node that need not write into its own image."""
    env = {
        # It is alone with its callers on networks of its own.
        "xpack.security.enabled": "false",
        "ES_JAVA_OPTS": _SEARCH_HEAP,
    }
    script = _search_script(
        "ES_PATH_CONF", "/usr/share/elasticsearch/config", "/usr/local/bin/docker-entrypoint.sh eswrapper"
    )
    return _search(replace(workload, env=env), script)


def _opensearch(plan: Plan, store: model.Store, workload: Workload) -> Workload:
    env = {
        "DISABLE_SECURITY_PLUGIN": "true",
        "DISABLE_INSTALL_DEMO_CONFIG": "true",
        "DISABLE_PERFORMANCE_ANALYZER_AGENT_CLI": "true",
        "OPENSEARCH_JAVA_OPTS": _SEARCH_HEAP,
    }
    home = "/usr/share/opensearch"
    script = _search_script(
        "OPENSEARCH_PATH_CONF", f"{home}/config", f"{home}/opensearch-docker-entrypoint.sh opensearch"
    )
    return _search(replace(workload, env=env), script)


def _search_script(variable: str, folder: str, program: str) -> str:
    """The program with a copy of its configuration: it writes its keystore beside that."""
    return f"rm -rf /tmp/config && cp -r {folder} /tmp/config && {variable}=/tmp/config exec {program}"


def _search(workload: Workload, script: str) -> Workload:
    return replace(
        workload,
        env={"discovery.type": "single-node", **workload.env},
        command=("bash", "-c", script),
        readiness=_cluster_health(),
        size=replace(common.HEAVY, memory_bytes=1280 * common.MEBIBYTE),
        start_s=180,
        grace_s=60,
    )


def _cluster_health() -> Probe:
    return probes.curl_http(9200, "/_cluster/health?wait_for_status=yellow&timeout=1s")


def _s3(plan: Plan, store: model.Store, workload: Workload) -> Workload:
    # A folder in the data folder is a bucket; the bucket's name is an argument, no part of the script.
    script = 'mkdir -p "/data/$0" && exec minio server /data'
    secret = settings.password_secret(store)
    return replace(
        workload,
        entrypoint=("sh", "-c", script, store.name),
        env={
            "MINIO_ROOT_USER": store.name,
            "MINIO_ROOT_PASSWORD_FILE": f"{settings.SECRETS_FOLDER}/{secret}",
            "MINIO_BROWSER": "off",
            "HOME": "/tmp",
        },
        secrets=(SecretFile(secret),),
        readiness=probes.bash_http(9000, "/minio/health/ready"),
        liveness=probes.bash_http(9000, "/minio/health/live"),
        size=common.SIZES["medium"],
    )


RECIPES: dict[str, Callable[[Plan, model.Store, Workload], Workload]] = {
    "postgres": _postgres,
    "mysql": _mysql,
    "mongodb": _mongodb,
    "cassandra": _cassandra,
    "redis": _redis,
    "memcached": _memcached,
    "elasticsearch": lambda plan, store, workload: elasticsearch(workload),
    "opensearch": _opensearch,
    "s3": _s3,
}
