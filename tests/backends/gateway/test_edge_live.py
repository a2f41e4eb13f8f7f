"""CDNs and load balancers with their generated configuration, running."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.backends.gateway.client import Answer, ask
from tests.backends.gateway.proxies import running_haproxy, running_nginx, running_varnish
from tests.backends.gateway.tokens import token
from tests.backends.gateway.town import SOURCE, Town, rendered, running_envoy
from tests.backends.gateway.upstreams import Server, serving


@dataclass
class Edge:
    """A CDN, what it serves and where the rest goes."""

    port: int
    site: Server
    origin: Server
    folder: Path

    def ask(self, path: str, **options: object) -> Answer:
        return ask(self.port, path, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def cdn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    folder = tmp_path_factory.mktemp("cdn")
    conf = rendered(SOURCE)["deploy/local/cdn/edge/nginx.conf"]
    with ExitStack() as stack:
        site, origin = (stack.enter_context(serving(Server(name))) for name in ("site", "origin"))
        addresses = {"site:8080": site.port, "front:8080": origin.port}
        port = stack.enter_context(running_nginx(folder, conf, addresses))
        yield Edge(port, site, origin, folder)


@pytest.mark.parametrize(
    ("path", "server"),
    [
        ("/", "site"),
        ("/any/page", "site"),
        ("/assets/app.js", "site"),
        ("/catalogue", "origin"),
        ("/catalogue/1", "origin"),
        ("/cataloguex", "site"),
        ("/orders/1", "origin"),
        ("/orders", "origin"),
        ("/ordersx", "site"),
        ("/orders/../any", "site"),
        ("/any/..//orders/2", "origin"),
        ("/renamed/x", "origin"),
    ],
)
def test_the_longest_prefix_says_who_answers(cdn: Edge, path: str, server: str) -> None:
    answer = cdn.ask(path)
    assert answer.json()["server"] == server
    assert answer.json()["path"] == path


@pytest.mark.parametrize(
    ("path", "cache"),
    [
        ("/p$th/100%25/x", "MISS"),
        ("/p$th/100%25x", None),
        ("/caf%C3%A9/x", "MISS"),
        ("/a%20%22b/x", "MISS"),
        ("/a/7/b/c", "MISS"),
        ("/a/7/c", None),
        ("/x.y", "MISS"),
        ("/xzy", None),
    ],
)
def test_every_character_of_a_path_means_itself(odd: Edge, path: str, cache: str | None) -> None:
    answer = odd.ask(path)
    assert (answer.json()["path"], answer.headers.get("x-cache")) == (path, cache)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    paths = ("/p$th/100%", "/caf\u00e9/*", "/a%20%22b", "/a/{id}/b", "/x.y")
    rules = "; ".join(f"cache {path} ttl=60s" for path in paths)
    text = f'system s {{ cdn c {{ origin a; {rules} }}\n service a {{ image "x:1" }} }}'
    folder = tmp_path_factory.mktemp("odd")
    with serving(Server("a")) as server:
        conf = rendered(text)["deploy/base/cdn/c/nginx.conf"]
        with running_nginx(folder, conf, {"a:8080": server.port}) as port:
            yield Edge(port, server, server, folder)


def test_answers_are_kept_where_a_rule_says_so(cdn: Edge) -> None:
    first, second = cdn.ask("/assets/a.js"), cdn.ask("/assets/a.js")
    assert (first.headers["x-cache"], second.headers["x-cache"]) == ("MISS", "HIT")
    assert first.body == second.body
    assert cdn.site.seen["GET /assets/a.js"] == 1


def test_nothing_is_kept_elsewhere(cdn: Edge) -> None:
    for _ in range(2):
        assert "x-cache" not in cdn.ask("/orders/7").headers
    assert cdn.origin.seen["GET /orders/7"] == 2


@pytest.mark.parametrize("query", ["cache=no-store", "cache=private", "cookie=session%3D1", "status=500"])
def test_what_must_not_be_kept_is_not(cdn: Edge, query: str) -> None:
    before = cdn.origin.seen["GET /catalogue/own"]
    for _ in range(2):
        cdn.ask(f"/catalogue/own?{query}")
    assert cdn.origin.seen["GET /catalogue/own"] - before == 2


def test_what_was_asked_for_with_a_token_is_for_the_asker_alone(cdn: Edge) -> None:
    headers = {"Authorization": "Bearer mine"}
    assert cdn.ask("/catalogue/secret", headers=headers).headers["x-cache"] == "BYPASS"
    assert cdn.ask("/catalogue/secret").headers["x-cache"] == "MISS"
    assert cdn.ask("/catalogue/secret").headers["x-cache"] == "HIT"
    assert cdn.ask("/catalogue/secret", headers=headers).headers["x-cache"] == "BYPASS"


def test_queries_and_hosts_tell_answers_apart(cdn: Edge) -> None:
    cdn.ask("/assets/b.js?x=1")
    assert cdn.ask("/assets/b.js?x=2").headers["x-cache"] == "MISS"
    assert cdn.ask("/assets/b.js?x=1", host="town.example.com").headers["x-cache"] == "MISS"
    assert cdn.ask("/assets/b.js?x=1").headers["x-cache"] == "HIT"


def _stale(cdn: Edge, path: str) -> Answer:
    """The first answer that is not fresh any more."""
    for _ in range(40):
        answer = cdn.ask(path)
        if answer.headers["x-cache"] != "HIT":
            return answer
        time.sleep(0.1)
    raise AssertionError("it stays fresh")


def test_a_stale_answer_is_better_than_none(cdn: Edge) -> None:
    kept = cdn.ask("/catalogue/stale").body
    cdn.origin.is_failing = True
    try:
        answer = _stale(cdn, "/catalogue/stale")
        assert (answer.status, answer.headers["x-cache"], answer.body) == (200, "STALE", kept)
        assert cdn.ask("/catalogue/unknown").status == 503
    finally:
        cdn.origin.is_failing = False


def test_a_late_answer_is_renewed_behind_the_askers_back(cdn: Edge) -> None:
    old = cdn.ask("/catalogue/late").body
    answer = _stale(cdn, "/catalogue/late")
    assert (answer.headers["x-cache"], answer.body) == ("STALE", old)
    time.sleep(0.1)
    assert cdn.ask("/catalogue/late").body != old


@pytest.mark.parametrize(
    ("host", "status"),
    [("town.example.com", 200), ("TOWN.example.com:80", 200), ("localhost:99", 200), ("evil.example", 0)],
)
def test_unknown_hosts_get_no_answer(cdn: Edge, host: str, status: int) -> None:
    assert cdn.ask("/assets/host.js", host=host).status == status
    assert cdn.ask("/healthz", host=host).status == 200


def test_the_first_proxy_believes_nobody(cdn: Edge) -> None:
    claims = {
        "X-Forwarded-For": "6.6.6.6", "X-Forwarded-Host": "evil.example", "Forwarded": "for=6.6.6.6",
        "X-Request-Id": "mine", "X_Underscore": "1",
    }  # fmt: skip
    seen = cdn.ask("/orders/8", headers=claims).json()["headers"]
    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert not {"x-forwarded-host", "forwarded", "x_underscore"} & set(seen)
    assert len(seen["x-request-id"]) == 32
    assert seen["host"] == "localhost"


def test_large_bodies_are_refused(cdn: Edge) -> None:
    assert cdn.ask("/orders", method="POST", body=b"x" * 60_000).status == 200
    assert cdn.ask("/orders", method="POST", body=b"x" * 70_000).status == 413


def test_answers_do_not_tell_what_runs(cdn: Edge) -> None:
    answer = cdn.ask("/orders/9")
    assert answer.headers["server"] == "nginx"
    assert "x-powered-by" not in answer.headers


def test_the_log_is_json_without_queries(cdn: Edge) -> None:
    cdn.ask("/orders/logged?card=visa-number", headers={"User-Agent": '"},{"forged":1'})
    time.sleep(0.1)
    log = (cdn.folder / "access.log").read_text(encoding="utf-8")
    entries = [json.loads(line) for line in log.splitlines()]
    assert "/orders/logged" in {entry["path"] for entry in entries}
    assert "visa-number" not in log


# ---- Varnish


@pytest.fixture(scope="module")
def varnish(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    folder = tmp_path_factory.mktemp("varnish")
    text = SOURCE.replace("cdn edge {", "cdn edge { engine varnish;").replace(
        "ttl=1s stale=1h", "ttl=1s stale=2s"
    )
    vcl = rendered(text)["deploy/local/cdn/edge/default.vcl"]
    with ExitStack() as stack:
        site = stack.enter_context(serving(Server("site")))
        origin = stack.enter_context(serving(Server("origin", {"/healthz": b"well"})))
        addresses = {"site:8080": site.port, "front:8080": origin.port}
        yield Edge(stack.enter_context(running_varnish(folder, vcl, addresses)), site, origin, folder)


@pytest.mark.parametrize(
    ("path", "server"),
    [
        ("/", "site"),
        ("/assets?x", "site"),
        ("/catalogue/1", "origin"),
        ("/catalogue?page=2", "origin"),
        ("/cataloguex", "site"),
        ("/orders/1", "origin"),
        ("/any?x=/orders/", "site"),
    ],
)
def test_varnish_sends_each_path_to_its_owner(varnish: Edge, path: str, server: str) -> None:
    answer = varnish.ask(path)
    assert (answer.json()["server"], answer.json()["path"]) == (server, path)


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../orders/1",
        "/assets/%2e%2e/orders/1",
        "//orders",
        "/assets%2f..%2forders",
        "/a/.",
        "/a/..?x",
    ],
)
def test_varnish_takes_one_spelling_for_each_path(varnish: Edge, path: str) -> None:
    assert varnish.ask(path).status == 400


def test_varnish_keeps_what_may_be_kept(varnish: Edge) -> None:
    def caches(path: str, **options: object) -> list[str]:
        return [varnish.ask(path, **options).headers["x-cache"] for _ in range(2)]

    assert caches("/assets/a.js") == ["MISS", "HIT"]
    assert caches("/orders/7") == ["PASS", "PASS"]
    assert caches("/page") == ["PASS", "PASS"]
    assert caches("/page?cache=max-age=9") == ["MISS", "HIT"]
    assert caches("/catalogue/a?cache=no-store") == ["PASS", "PASS"]
    assert caches("/catalogue/a?cache=private") == ["PASS", "PASS"]
    assert caches("/catalogue/a?cookie=session") == ["PASS", "PASS"]
    assert caches("/catalogue/a?status=500") == ["PASS", "PASS"]
    assert caches("/assets/a.js", headers={"Authorization": "Bearer mine"}) == ["PASS", "PASS"]
    assert caches("/assets/a.js", host="town.example.com:80") == ["MISS", "HIT"]


def test_varnish_ends_staleness_in_time(varnish: Edge) -> None:
    kept = varnish.ask("/catalogue/stale").body
    varnish.origin.is_failing = True
    try:
        time.sleep(1.2)
        answer = varnish.ask("/catalogue/stale")
        assert (answer.status, answer.headers["x-cache"], answer.body) == (200, "STALE", kept)
        time.sleep(2)
        assert varnish.ask("/catalogue/stale").status == 503
    finally:
        varnish.origin.is_failing = False


def test_varnish_believes_nobody(varnish: Edge) -> None:
    claims = {"X-Forwarded-For": "6.6.6.6", "X-Request-Id": "mine", "Forwarded": "for=6.6.6.6"}
    seen = varnish.ask("/orders/8", headers=claims).json()["headers"]
    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert seen["x-request-id"] not in ("", "mine")
    assert "forwarded" not in seen
    assert varnish.ask("/orders/8", host="evil.example").status == 421
    assert varnish.ask("/healthz", host="evil.example").status == 200


# ---- HAProxy


@pytest.fixture(scope="module")
def haproxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    folder = tmp_path_factory.mktemp("haproxy")
    text = SOURCE.replace(
        "load-balancer front {", 'load-balancer front { engine haproxy; host "*.town.example";'
    )
    text = text.replace("origin front;", "")
    cfg = rendered(text)["deploy/local/load-balancer/front/haproxy.cfg"]
    with ExitStack() as stack:
        origin = stack.enter_context(serving(Server("origin", {"/healthz": b"well"})))
        port = stack.enter_context(running_haproxy(folder, cfg, {"api:8080": origin.port}))
        yield Edge(port, origin, origin, folder)


def test_haproxy_balances_and_believes_nobody(haproxy: Edge) -> None:
    claims = {"X-Forwarded-For": "6.6.6.6", "X-Request-Id": "mine", "Forwarded": "for=6.6.6.6"}
    seen = haproxy.ask("/orders/8?x", headers=claims).json()["headers"]
    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert len(seen["x-request-id"]) == 36
    assert "forwarded" not in seen


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:1", 200), ("WWW.town.example", 200), ("town.example.evil", 421), ("evil.example", 421)],
)
def test_haproxy_answers_known_hosts(haproxy: Edge, host: str, status: int) -> None:
    assert haproxy.ask("/orders", host=host).status == status
    assert haproxy.ask("/healthz", host=host).status == 200


def test_haproxy_refuses_large_bodies(haproxy: Edge) -> None:
    assert haproxy.ask("/orders", method="POST", body=b"x" * 60_000).status == 200
    assert haproxy.ask("/orders", method="POST", body=b"x" * 70_000).status == 413


def test_haproxy_logs_json(haproxy: Edge) -> None:
    haproxy.ask("/orders/logged?card=visa-number")
    haproxy.ask("/orders/logged", host='localhost"x')
    time.sleep(0.1)
    lines = (haproxy.folder / "log").read_text(encoding="utf-8").splitlines()
    entries = [json.loads(line[line.index("{") :]) for line in lines if "{" in line]
    assert "/orders/logged" in {entry["path"] for entry in entries}
    assert not any("visa-number" in line for line in lines)


# ---- the whole way in


@pytest.fixture(scope="module")
def way_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Town]]:
    files = rendered(SOURCE)
    with ExitStack() as stack:
        town = stack.enter_context(running_envoy(tmp_path_factory.mktemp("gateway")))
        front = stack.enter_context(
            running_nginx(
                tmp_path_factory.mktemp("front"),
                files["deploy/local/load-balancer/front/nginx.conf"],
                {"api:8080": town.port},
            )
        )
        edge = stack.enter_context(
            running_nginx(
                tmp_path_factory.mktemp("edge"),
                files["deploy/local/cdn/edge/nginx.conf"],
                {"site:8080": town.servers["site"].port, "front:8080": front},
            )
        )
        yield edge, town


def test_a_request_keeps_its_name_and_its_client_on_the_whole_way_in(way_in: tuple[int, Town]) -> None:
    port, _ = way_in
    claims = {
        "Authorization": f"Bearer {token('orders.read')}",
        "X-Forwarded-For": "6.6.6.6",
        "X-Request-Id": "mine",
    }
    answer = ask(port, "/orders/1", headers=claims, host="town.example.com")
    seen = answer.json()["headers"]
    assert seen["x-envoy-external-address"] == "127.0.0.1"
    assert "6.6.6.6" not in seen["x-forwarded-for"]
    assert len(seen["x-request-id"]) == 32
    assert seen["x-user-id"] == "user-1"


def test_what_the_gateway_refuses_stays_refused(way_in: tuple[int, Town]) -> None:
    port, _ = way_in
    assert ask(port, "/orders/1").status == 401
    assert ask(port, "/orders/1", headers={"Authorization": f"Bearer {token('')}"}).status == 403
    assert ask(port, "/orders/%2e%2e%2fpublic").status == 400
    assert ask(port, "/assets/x.js").json()["server"] == "site"
