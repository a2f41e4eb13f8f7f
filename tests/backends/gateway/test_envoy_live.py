"""The generated Envoy configuration, running, asked what it must refuse and a little that it must not."""

import json
import random
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from tests.backends.gateway import tokens
from tests.backends.gateway.client import ask, exchange
from tests.backends.gateway.tokens import token
from tests.backends.gateway.town import Town, running_envoy


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with running_envoy(tmp_path_factory.mktemp("envoy")) as town:
        yield town


def _bearer(value: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {value}"}


# ---- tokens

NOW = int(time.time())
READ = "orders.read"


@pytest.mark.parametrize(
    ("what", "headers", "status"),
    [
        ("no token", {}, 401),
        ("no bearer", {"Authorization": f"Basic {token(READ)}"}, 401),
        ("garbage", _bearer("garbage"), 401),
        ("another key", _bearer(token(READ, signed_by="other")), 401),
        ("expired", _bearer(token(READ, exp=NOW - 120)), 401),
        ("without expiry", _bearer(token(READ, exp=None)), 401),
        ("not yet valid", _bearer(token(READ, nbf=NOW + 600)), 401),
        ("another issuer", _bearer(token(READ, iss="http://evil.example")), 401),
        ("unsigned", _bearer(tokens.unsigned_token(READ)), 401),
        ("signed with the public key", _bearer(tokens.confused_token(READ)), 401),
        ("forged payload", _bearer(tokens.forged_token(READ)), 401),
        ("another audience", _bearer(token(READ, aud="village")), 403),
        ("no scope", _bearer(token("")), 403),
        ("another scope", _bearer(token("orders.write")), 403),
        ("scope as a part of others", _bearer(token("xorders.read orders.readx orders.read.all")), 403),
        ("scope with the dot for any character", _bearer(token("orders-read")), 403),
        ("scope in another claim", _bearer(token("", scopes=READ, permissions=[READ])), 403),
        ("scope in other letters", _bearer(token("Orders.Read")), 403),
        ("good", _bearer(token(READ)), 200),
        ("good among others", _bearer(token(f"openid {READ} profile")), 200),
        ("good as a list", _bearer(token(["openid", READ])), 200),
        ("good for several audiences", _bearer(token(READ, aud=["village", "town"])), 200),
    ],
)
def test_tokens(town: Town, what: str, headers: dict[str, str], status: int) -> None:
    assert town.ask("/orders/1", headers=headers).status == status, what


def test_a_token_in_the_query_is_not_looked_for(town: Town) -> None:
    assert town.ask(f"/orders/1?access_token={token(READ)}").status == 401


@pytest.mark.parametrize(
    ("method", "path", "scope", "status"),
    [
        ("GET", "/orders", READ, 200),
        ("HEAD", "/orders", READ, 200),
        ("POST", "/orders", READ, 403),
        ("POST", "/orders", "orders.write", 200),
        ("GET", "/orders", "orders.write", 403),
        ("PUT", "/orders/1", "orders.write", 200),
        ("PATCH", "/orders/1", "orders.write", 403),
        ("DELETE", "/orders/hidden", "orders.write orders.read", 403),
        ("GET", "/orders/open/now", None, 200),
        ("GET", "/orders/open/now/more", None, 403),
        ("GET", "/orders/1/lines", READ, 403),
        ("GET", "/orders/", READ, 403),
        ("GET", "/Orders/1", READ, 403),
        ("GET", "/ordersx", READ, 403),
        ("GET", "/catalogue", None, 200),
        ("GET", "/catalogue/1", None, 200),
        ("GET", "/cataloguex", None, 403),
        ("POST", "/catalogue", None, 401),
        ("POST", "/catalogue", "things.read", 200),
        ("GET", "/legacy/v1/anything", "", 403),
        ("GET", "/legacy/v1/anything", "things.read", 200),
        ("DELETE", "/legacy/v1/anything", "things.read", 200),
        ("GET", "/legacy/v2", "things.read", 403),
        ("GET", "/renamed", None, 401),
        ("GET", "/renamed", "", 200),
        ("GET", "/public/x", None, 200),
        ("GET", "/publicx", None, 403),
        ("GET", "/nowhere", READ, 403),
        ("GET", "/", READ, 403),
        ("TRACE", "/public", None, 403),
    ],
)
def test_scopes_per_method_and_path(
    town: Town, method: str, path: str, scope: str | None, status: int
) -> None:
    assert town.ask(path, scope, method=method).status == status


# ---- what targets get to see


def test_what_only_the_gateway_may_say_replaces_what_clients_say(town: Town) -> None:
    spoofed = {
        "x-user-id": "admin",
        "X-User-Roles": "root",
        "x-envoy-retry-on": "5xx",
        "x-envoy-max-retries": "9",
    }
    seen = town.ask("/orders/1", READ, headers=spoofed).json()["headers"]
    assert seen["x-user-id"] == "user-1"
    assert not {"x-user-roles", "x-envoy-retry-on", "x-envoy-max-retries"} & set(seen)


def test_no_user_where_there_is_no_token(town: Town) -> None:
    seen = town.ask("/catalogue/1", headers={"x-user-id": "admin"}).json()["headers"]
    assert "x-user-id" not in seen


@pytest.mark.parametrize(
    ("path", "scope", "passed"),
    [("/orders/1", READ, True), ("/catalogue/1", READ, False), ("/legacy/v1/x", "things.read", False)],
)
def test_only_services_that_check_it_again_get_the_token(
    town: Town, path: str, scope: str, passed: bool
) -> None:
    seen = town.ask(path, scope).json()["headers"]
    assert ("authorization" in seen) is passed


def test_requests_can_be_followed(town: Town) -> None:
    seen = town.ask("/catalogue/1").json()["headers"]
    assert len(seen["x-request-id"]) == 36
    assert seen["traceparent"].startswith("00-")
    # The first of the two proxies in front has named it.
    seen = town.ask("/catalogue/1", headers={"x-request-id": "named"}).json()["headers"]
    assert seen["x-request-id"] == "named"
    given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    seen = town.ask("/catalogue/1", headers={"traceparent": given}).json()["headers"]
    assert seen["traceparent"][:35] == given[:35]


def test_the_client_is_who_reached_the_first_of_two_proxies(town: Town) -> None:
    forwarded = {"x-forwarded-for": "6.6.6.6, 192.0.2.7, 10.0.0.2", "x-forwarded-proto": "https"}
    seen = town.ask("/catalogue/1", headers=forwarded).json()["headers"]
    assert seen["x-forwarded-for"].startswith("6.6.6.6, 192.0.2.7, 10.0.0.2,")
    assert seen["x-envoy-external-address"] == "192.0.2.7"
    assert '"client":"192.0.2.7"' in _last_log(town, seen["x-request-id"])


@pytest.mark.parametrize("address", ["10.0.0.1", "192.168.1.1", "127.0.0.1", "::1", "garbage", ""])
def test_no_client_is_trusted_for_its_address(town: Town, address: str) -> None:
    forwarded = {
        "x-forwarded-for": f"{address}, 10.0.0.2",
        "x-envoy-max-retries": "9",
        "x-request-id": "mine",
    }
    seen = town.ask("/catalogue/1", headers=forwarded).json()["headers"]
    assert "x-envoy-internal" not in seen
    assert "x-envoy-max-retries" not in seen


def _last_log(town: Town, request: str) -> str:
    for _ in range(100):
        found = [line for line in town.log.read_text(encoding="utf-8").splitlines() if request in line]
        if found:
            return found[-1]
        time.sleep(0.02)
    raise AssertionError("the request is not in the log")


def test_the_log_is_json_without_queries_and_tokens(town: Town) -> None:
    answer = town.ask('/public/a?card=visa-number&x="', headers={"user-agent": '"},{"forged":1'})
    line = _last_log(town, answer.json()["headers"]["x-request-id"])
    entry = json.loads(line)
    assert entry["path"] == "/public/a"
    assert entry["route"] == "sales.old /public/*"
    assert "visa-number" not in line
    assert "Bearer" not in town.log.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("path", "scope", "arrives"),
    [
        ("/legacy/v1/a/b?c=%2F", "things.read", "/v1/a/b?c=%2F"),
        ("/legacy/v1", "things.read", "/v1"),
        ("/renamed/a?b", "", "/new/place/a?b"),
        ("/renamed", "", "/new/place"),
        ("/public//a/./b/../c", None, "/public/a/c"),
        ("/public/caf%C3%A9/%24HOME/%25", None, "/public/caf%C3%A9/%24HOME/%25"),
    ],
)
def test_paths_as_targets_see_them(town: Town, path: str, scope: str | None, arrives: str) -> None:
    assert town.ask(path, scope).json()["path"] == arrives


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/odd$/100%25/x/caf%C3%A9", 200),
        ("/odd$/100%25/x/caf%C3%A9/more", 200),
        ("/odd$/100%25/x/cafe", 403),
        ("/odd/100%25/x/caf%C3%A9", 403),
        ("/odd$/100%25/x/y/caf%C3%A9", 403),
    ],
)
def test_every_character_of_a_path_means_itself(town: Town, path: str, status: int) -> None:
    assert town.ask(path).status == status


def test_conditions_choose_among_routes(town: Town) -> None:
    assert town.ask("/versions", headers={"X-Version": "100%"}).json()["path"] == "/versions"
    assert town.ask("/versions?beta=1").json()["path"] == "/beta?beta=1"
    assert town.ask("/versions").status == 403
    assert town.ask("/versions", headers={"X-Version": "100"}).status == 403


# ---- hosts


@pytest.mark.parametrize(
    ("host", "path", "status"),
    [
        ("town.example.com", "/public", 200),
        ("TOWN.example.com:8443", "/public", 200),
        ("town.example.com.", "/public", 200),
        ("localhost:1234", "/public", 200),
        ("127.0.0.1", "/public", 200),
        ("api:8080", "/public", 200),
        ("evil.example.com", "/public", 403),
        ("town.example.com.evil.example", "/public", 403),
        ("10.0.0.9", "/public", 403),
        ("evil.example.com", "/healthz", 200),
        ("pages.town.example.com", "/any/page", 200),
        ("town.example.com", "/any/page", 403),
    ],
)
def test_hosts(town: Town, host: str, path: str, status: int) -> None:
    assert town.ask(path, host=host).status == status


# ---- requests that two servers could read in two ways


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/public/%2f..%2forders/1", 400),
        ("/public%2F..%2Forders%2F1", 400),
        ("/public%5c..%5corders", 400),
        ("/public/../orders/1", 401),
        ("/public/%2e%2e/orders/1", 401),
        ("/public/..;/orders/1", 401),
        ("//orders/1", 401),
        ("/public/%00", 400),
        ("/orders/1%zz", 401),
        ("/orders/1#x", 400),
        ("http://localhost/orders/1", 401),
        ("http://evil.example/public", 403),
    ],
)
def test_one_spelling_for_each_path(town: Town, path: str, status: int) -> None:
    assert town.ask(path).status == status


@pytest.mark.parametrize(
    ("what", "request_", "status"),
    [
        ("length and chunks", "POST /public HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n"
         "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("two lengths", "POST /public HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n"
         "Content-Length: 5\r\n\r\nabcd", 400),
        ("chunks in other letters", "POST /public HTTP/1.1\r\nHost: localhost\r\n"
         "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501),
        ("two hosts", "GET /public HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n", 403),
        ("no host", "GET /public HTTP/1.1\r\n\r\n", 400),
        ("space before the colon", "GET /public HTTP/1.1\r\nHost: localhost\r\nA : b\r\n\r\n", 400),
        ("bare line feed in a value", "GET /public HTTP/1.1\r\nHost: localhost\r\nA: b\x00c\r\n\r\n", 400),
        ("old protocol", "GET /public HTTP/1.0\r\nHost: localhost\r\n\r\n", 426),
    ],
)  # fmt: skip
def test_smuggling(town: Town, what: str, request_: str, status: int) -> None:
    assert exchange(town.port, request_.encode("latin-1")).status == status, what


@pytest.mark.parametrize(
    ("what", "headers", "status"),
    [
        ("underscore", {"x_user_id": "admin"}, 400),
        ("many headers", {f"x-{number}": "y" for number in range(80)}, 431),
        ("large headers", {f"x-{number}": "y" * 4000 for number in range(10)}, 431),
        ("some headers", {f"x-{number}": "y" for number in range(40)}, 200),
    ],
)
def test_headers(town: Town, what: str, headers: dict[str, str], status: int) -> None:
    assert town.ask("/public", headers=headers).status == status, what


@pytest.mark.parametrize(("size", "status"), [(60_000, 200), (70_000, 413)])
def test_large_bodies(town: Town, size: int, status: int) -> None:
    answer = town.ask("/public", method="POST", body=b"x" * size)
    assert answer.status == status
    assert status != 200 or answer.json()["length"] == size


# ---- time, failure and limits


def test_a_slow_answer_is_given_up_at_the_routes_timeout(town: Town) -> None:
    start = time.monotonic()
    assert town.ask("/orders/1?wait=3", READ).status == 504
    assert 0.6 < time.monotonic() - start < 1.5


@pytest.mark.parametrize(
    ("method", "path", "scope", "attempts"),
    [
        ("GET", "/orders/7", READ, 3),
        ("POST", "/orders", "orders.write", 1),
        ("PUT", "/orders/7", "orders.write", 3),
    ],
)
def test_only_what_may_be_done_twice_is_tried_again(
    town: Town, method: str, path: str, scope: str, attempts: int
) -> None:
    before = town.servers["orders"].seen[f"{method} {path}"]
    assert town.ask(f"{path}?status=503", scope, method=method).status == 503
    assert town.servers["orders"].seen[f"{method} {path}"] - before == attempts


def test_an_unreachable_target_is_503_and_tells_nothing(town: Town) -> None:
    answer = town.ask("/bank/pay", "")
    assert answer.status == 503
    assert sorted(answer.json()) == ["request", "status", "type"]
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_routes_limit(town: Town) -> None:
    answers = [town.ask("/limited") for _ in range(8)]
    assert [answer.status for answer in answers] == [200] * 5 + [429] * 3
    assert answers[0].headers["x-ratelimit-limit"].startswith("5")
    assert answers[-1].headers["x-ratelimit-remaining"] == "0"


# ---- other sites' pages


def test_cors(town: Town) -> None:
    ask_ = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    answer = town.ask("/orders", method="OPTIONS", headers=ask_)
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert (
        town.ask("/orders", method="OPTIONS", headers=ask_ | {"Origin": "https://100%.example"}).status == 200
    )
    answer = town.ask("/orders", method="OPTIONS", headers=ask_ | {"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in answer.headers
    answer = town.ask("/catalogue/1", headers={"Origin": "https://app.example.evil"})
    assert "access-control-allow-origin" not in answer.headers


# ---- answers


def test_answers_tell_nothing_about_the_inside(town: Town) -> None:
    answer = town.ask("/catalogue/1")
    assert not {"x-powered-by", "x-envoy-upstream-service-time"} & set(answer.headers)
    assert "envoy" not in answer.headers.get("server", "")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_answers_say_how_long_they_may_be_kept(town: Town) -> None:
    assert town.ask("/catalogue/1").headers["cache-control"] == "public, max-age=30"
    assert town.ask("/catalogue/1?cache=no-store").headers["cache-control"] == "no-store"
    assert "cache-control" not in town.ask("/catalogue/1?status=500").headers


def test_grpc_reaches_its_service_over_http2(town: Town) -> None:
    headers = {"content-type": "application/grpc", "te": "trailers"}
    answer = town.ask("/stock/Reserve", "things.read", method="POST", headers=headers)
    assert (answer.status, answer.headers["x-path"]) == (200, "/stock/Reserve")
    assert town.ask("/stock/Reserve", "", method="POST", headers=headers).headers["grpc-status"] == "7"
    assert (
        town.ask("/stock/Other", "things.read", method="POST", headers=headers).headers["grpc-status"] == "7"
    )
    assert town.ask("/stock/Reserve", "things.read", method="POST").status == 403


# ---- administration


def test_measurements_are_apart_from_administration(town: Town) -> None:
    answer = ask(town.metrics_port, "/metrics")
    assert b"envoy_cluster_upstream_rq_total" in answer.body
    assert b"jwt_authn_jwks_fetch_failed" in answer.body
    for path in ("/", "/stats", "/quitquitquit", "/config_dump", "/metrics/../quitquitquit"):
        assert ask(town.metrics_port, path).status == 404
        assert ask(town.metrics_port, path, method="POST").status == 404


# ---- the worst of it, last: nothing below may bring the gateway down


def test_half_sent_requests_are_given_up(town: Town) -> None:
    with ExitStack() as stack:
        connections = []
        for _ in range(1_000):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", town.port)))
            connection.sendall(b"GET /public HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
            connections.append(connection)
        assert town.ask("/public").status == 200
        for connection in connections:
            connection.settimeout(10)
            assert connection.recv(1_000).startswith(b"HTTP/1.1 408")


def test_mutated_requests_neither_crash_it_nor_get_through(town: Town) -> None:
    before = sum(town.servers["orders"].seen[f"{method} /orders/1"] for method in ("GET", "PUT"))
    dice = random.Random(1)
    answered = 0
    for _ in range(1_500):
        request = bytearray(_SEEDS[dice.randrange(len(_SEEDS))])
        for _ in range(dice.randint(1, 6)):
            _mutate(request, dice)
        with socket.create_connection(("127.0.0.1", town.port)) as connection, suppress(OSError):
            connection.settimeout(0.05)  # what looks unfinished gets no answer
            connection.sendall(bytes(request))
            answered += bool(connection.recv(16))
    assert answered > 1_000
    assert town.ask("/public").status == 200
    assert sum(town.servers["orders"].seen[f"{method} /orders/1"] for method in ("GET", "PUT")) == before


_SEEDS = (
    b"GET /orders/1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer a.b.c\r\n\r\n",
    b"PUT /orders/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello",
    b"PUT /orders/1 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"GET /public/../orders/1?a=%2f HTTP/1.1\r\nHost: town.example.com\r\nX-User-Id: admin\r\n\r\n",
)
_PIECES = (
    b"Transfer-Encoding: chunked\r\n", b"Content-Length: 9999\r\n", b"\r\n", b"\x00", b"%2f", b"..",
    b" ", b"\t", b":",
)  # fmt: skip


def _mutate(request: bytearray, dice: random.Random) -> None:
    place = dice.randrange(len(request) + 1)
    kind = dice.randrange(4)
    if kind == 0:
        request[place:place] = dice.choice(_PIECES)
    elif kind == 1:
        del request[place : place + dice.randint(1, 8)]
    elif kind == 2:
        request[place : place + 1] = bytes([dice.randrange(256)])
    else:
        request[place:place] = request[max(0, place - 20) : place]


def test_envoy_has_nothing_to_complain_about(town: Town) -> None:
    complaints = [
        line for line in town.log.read_text(encoding="utf-8").splitlines() if not line.startswith("{")
    ]
    assert complaints == []
