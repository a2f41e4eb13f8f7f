"""What stands in the generated Envoy configuration, and that Envoy takes all of it without a word."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.backends.gateway.town import SOURCE, program, rendered

EXAMPLES = sorted({path.parent for path in (Path(__file__).parents[3] / "examples").glob("*/*.arch")})


def config(text: str, environment: str | None = None) -> dict[str, Any]:
    """The one envoy.yaml of a system, parsed."""
    (content,) = [c for path, c in rendered(text, environment).items() if path.endswith("envoy.yaml")]
    parsed: dict[str, Any] = yaml.safe_load(content)
    return parsed


def manager(parsed: dict[str, Any]) -> dict[str, Any]:
    """The connection manager of the listener."""
    found: dict[str, Any] = parsed["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]
    return found["typed_config"]  # type: ignore[no-any-return]


def filters(parsed: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The filters by name."""
    return {entry["name"]: entry["typed_config"] for entry in manager(parsed)["http_filters"]}


def routes(parsed: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """All routes by name."""
    hosts = manager(parsed)["route_config"]["virtual_hosts"]
    return {route["name"]: route for host in hosts for route in host["routes"]}


def complaints(folder: Path, content: str) -> list[str]:
    """What Envoy has to say about a configuration, but for how it gets along."""
    path = folder / "envoy.yaml"
    path.write_text(content, encoding="utf-8")
    command = [program("envoy"), "--mode", "validate", "-c", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if re.search(r"\]\[(warning|error|critical)\]", line)]
    return [*said, *([] if done.returncode == 0 else [f"exit {done.returncode}"])]


# ---- Envoy takes it

BARE = 'system s { gateway g { route /a -> a }\n service a { image "x:1" } }'
IMAGE = 'service a { image "x:1" }'
VARIANTS = {
    "nothing at all": "system s { gateway g }",
    "no identity": BARE,
    "scopes that nobody can show": BARE.replace("route /a -> a", "route /a -> a scope=x"),
    "keycloak": f"""system s {{
        identity i {{ engine keycloak }}
        gateway g {{ authenticates i; route /a -> a }}
        {IMAGE} }}""",
    "an issuer of somebody else": f"""system s {{
        identity i {{ engine external; issuer "https://id.example/realm" }}
        gateway g {{ authenticates i; route /a -> a }}
        {IMAGE} }}""",
    "external targets": """system s {
        external e { url "https://e.example/base/" }
        external f { url "http://f.example:81" }
        external h { url "https://[::1]" }
        external i { url "x://y:9999/" }
        external j
        external k { url "https://k.example"; protocol grpc }
        gateway g {
          route /e -> e; route /f -> f rewrite=/x
          route /h -> h; route /i -> i; route /j -> j strip=1; route /k -> k
        } }""",
    "every word": """system s {
        gateway g {
          host a.example tls=auto; host "*.b.example"; limit 5/s per=route; timeout 90s; body 10Mi
          cors ["*"] credentials; replicas 2..5; resources large
          route /a/{id}/* -> a host=c.example method=GET header="x-v: 1" query="beta" {
            timeout 1ms; retries 3; limit 1/h; cache 1h; strip 2
          }
        }
        service a { image "x:1"; port 80; health tcp } }""",
    "enormous numbers": """system s {
        gateway g {
          limit 999999999999/ms; body 90000Ti; timeout 99y
          route /a -> a {
            retries 9007199254740992; strip 9007199254740992; limit 999999999999/9999y; timeout 36500d
            cache 99y
          }
        }
        service a { rest { GET /x timeout=99y } } }""",
    "zipkin": """system s {
        gateway g { route /a -> a }
        management m { traces zipkin; metrics prometheus }
        service a { image "x:1"; health grpc } }""",
    "a bucket and pages": """system s {
        gateway g { route / -> f; route /b -> b }
        frontend f
        bucket b
        }""",
}


@pytest.mark.parametrize("text", VARIANTS.values(), ids=list(VARIANTS))
def test_envoy_takes_every_variant_without_a_word(tmp_path: Path, text: str) -> None:
    (content,) = [c for path, c in rendered(text).items() if path.endswith("envoy.yaml")]
    assert complaints(tmp_path, content) == []


@pytest.mark.parametrize("environment", ["local", "production"])
def test_envoy_takes_the_town_without_a_word(tmp_path: Path, environment: str) -> None:
    (content,) = [c for path, c in rendered(SOURCE, environment).items() if path.endswith("envoy.yaml")]
    assert complaints(tmp_path, content) == []


HOSTILE = (
    "100%", "%REQ(AUTHORIZATION)%", "%%", "$HOME ${x}", "`id`", "a\nb: c", "# no", "{{ x }}", "{% raw %}",
    "\\", "\t", "'", "- a", "&a", "*a", "!!python/object", "null", "1e3", "\u00e9", "\u65e5\u672c",
    "\U0001f600", "..", "/", "; drop", "",
)  # fmt: skip


def test_envoy_takes_hostile_texts_as_texts(tmp_path: Path) -> None:
    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t") + '"'

    def route(number: int, text: str) -> str:
        words = f"header={quoted('x: ' + text)} query={quoted('q=' + text)}"
        return f"route /r{number} -> a {words} {{ anonymous because {quoted(text)} }}"

    lines = [route(number, text) for number, text in enumerate(HOSTILE)]
    lines += ['route /bad-header -> a header="a b: c"', 'route /bad-header-2 -> a header="\\n: c"']
    lines += [
        "route /p$th/100%/{x}.json/~!,+@: -> a",
        "route /caf\u00e9 -> a",
        f"route /{'long/' * 60}{{x}} -> a",
    ]
    text = f"""
      system s {quoted(HOSTILE[5])} {{
        identity i {{ engine dev; audience {quoted(HOSTILE[1])} }}
        gateway g {quoted(HOSTILE[1])} {{
          authenticates i
          doc {quoted(HOSTILE[5])}
          cors [{" ".join(quoted(text) for text in HOSTILE)}]
          {chr(10).join(lines)}
        }}
        service a {{ image "x:1" }}
      }}"""
    (content,) = [c for path, c in rendered(text).items() if path.endswith("envoy.yaml")]
    assert complaints(tmp_path, content) == []
    parsed = yaml.safe_load(content)
    origins = manager(parsed)["route_config"]["virtual_hosts"][0]["typed_per_filter_config"]
    matches = origins["envoy.filters.http.cors"]["allow_origin_string_match"]
    assert [match["exact"] for match in matches] == list(HOSTILE)
    assert content.count("\n# ") == content.split("\nnode:")[0].count("\n# ")
    assert not any("bad" in name for name in routes(parsed))


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_envoy_takes_the_examples_without_a_word(tmp_path: Path, folder: Path) -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.arch")))
    for environment in re.findall(r"(?m)^environment (\S+)", text) or [None]:
        for name, content in rendered(text, environment).items():
            if name.endswith("envoy.yaml"):
                assert complaints(tmp_path, content) == [], name


# ---- the traps, one by one (those that show only when it runs are in test_envoy_live)


def test_no_text_of_the_file_stands_where_envoy_reads_percent_signs() -> None:
    def formats(text: str) -> list[object]:
        config_ = manager(config(text))
        added = [route.get("response_headers_to_add") for route in routes(config(text)).values()]
        return [config_["access_log"], config_["local_reply_config"], config_["tracing"], added]

    hostile = SOURCE.replace('"everybody may look"', '"%REQ(AUTHORIZATION)%"').replace("A town", "100% %%")
    assert hostile.count("%") > SOURCE.count("%")
    assert formats(hostile) == formats(SOURCE)


def test_administration_is_for_the_container_itself() -> None:
    admin = config(SOURCE)["admin"]["address"]["socket_address"]
    assert admin == {"address": "127.0.0.1", "port_value": 9901}


def test_keys_are_fetched_before_the_first_request_and_again_soon() -> None:
    provider = filters(config(SOURCE))["envoy.filters.http.jwt_authn"]["providers"]["identity"]
    assert provider["remote_jwks"]["async_fetch"] == {"failed_refetch_duration": "5s"}
    assert provider["require_expiration"] is True
    assert provider["from_headers"] == [{"name": "authorization", "value_prefix": "Bearer "}]


def test_everything_is_refused_unless_a_route_says_otherwise() -> None:
    parsed = config(SOURCE)
    assert filters(parsed)["envoy.filters.http.rbac"]["rules"] == {"action": "ALLOW"}
    for name, route in routes(parsed).items():
        assert ("typed_per_filter_config" in route) is not name.endswith(" refused")


def test_limits_are_shared_out_among_the_instances() -> None:
    text = f"system s {{ gateway g {{ replicas 3..9; limit 100/s; route /a -> a limit=2/m }}\n {IMAGE} }}"
    parsed = config(text)
    client = filters(parsed)["limit-per-client"]
    assert client["descriptors"][0]["token_bucket"]["max_tokens"] == 34
    assert "filter_enforced" in client and "enable_x_ratelimit_headers" not in client
    bucket = routes(parsed)["a /a/*"]["typed_per_filter_config"]["limit-per-route"]["token_bucket"]
    assert bucket == {"max_tokens": 1, "tokens_per_fill": 1, "fill_interval": "60s"}
    (content,) = [c for path, c in rendered(text).items() if path.endswith("envoy.yaml")]
    assert "counts limits for itself: at least 3 run" in content


def test_limits_come_before_tokens_and_other_sites_before_both() -> None:
    assert list(filters(config(SOURCE))) == [
        "envoy.filters.http.health_check",
        "envoy.filters.http.cors",
        "limit-per-client",
        "limit-per-route",
        "envoy.filters.http.jwt_authn",
        "envoy.filters.http.rbac",
        "envoy.filters.http.buffer",
        "envoy.filters.http.router",
    ]


def test_any_site_never_comes_with_credentials() -> None:
    (host,) = manager(config(VARIANTS["every word"]))["route_config"]["virtual_hosts"][1:]
    policy = host["typed_per_filter_config"]["envoy.filters.http.cors"]
    assert policy["allow_origin_string_match"] == [{"safe_regex": {"regex": ".*"}}]
    assert policy["allow_credentials"] is False


def test_grpc_has_the_clients_deadline_and_no_buffer() -> None:
    found = routes(config(SOURCE))
    unary, stream = found["sales.stock POST /stock/Reserve"], found["sales.stock POST /stock/Watch"]
    assert unary["route"]["timeout"] == stream["route"]["timeout"] == "0s"
    assert unary["route"]["max_stream_duration"] == {
        "max_stream_duration": "15s",
        "grpc_timeout_header_max": "15s",
    }
    assert set(stream["route"]["max_stream_duration"].values()) == {"0s"}
    assert stream["typed_per_filter_config"]["envoy.filters.http.buffer"]["disabled"] is True
    clusters = {cluster["name"]: cluster for cluster in config(SOURCE)["static_resources"]["clusters"]}
    (options,) = clusters["stock"]["typed_extension_protocol_options"].values()
    assert "http2_protocol_options" in options["explicit_http_config"]
    assert "grpc_health_check" in clusters["stock"]["health_checks"][0]


def test_targets_are_asked_whether_they_are_well_where_they_say_how() -> None:
    clusters = {cluster["name"]: cluster for cluster in config(SOURCE)["static_resources"]["clusters"]}
    paths = {
        name: cluster["health_checks"][0].get("http_health_check", {}).get("path")
        for name, cluster in clusters.items()
        if "health_checks" in cluster
    }
    assert paths == {"orders": "/health/ready", "products": "/health/ready", "old": "/alive", "stock": None}
    assert {cluster["circuit_breakers"]["thresholds"][0]["retry_budget"]["budget_percent"]["value"]
            for name, cluster in clusters.items() if name != "own_admin"} == {20}  # fmt: skip


def test_an_external_target_is_reached_by_name_over_tls() -> None:
    parsed = config(SOURCE)
    cluster = next(c for c in parsed["static_resources"]["clusters"] if c["name"] == "bank")
    tls = cluster["transport_socket"]["typed_config"]
    assert tls["sni"] == "bank.example"
    assert tls["common_tls_context"]["validation_context"]["trusted_ca"]
    action = routes(parsed)["bank /bank/*"]["route"]
    assert action["host_rewrite_literal"] == "bank.example"
    assert action["regex_rewrite"]["substitution"] == "/v2/"


def test_unknown_hosts_are_refused_if_any_is_known() -> None:
    hosts = manager(config(SOURCE, "production"))["route_config"]["virtual_hosts"]
    assert [host["domains"] for host in hosts] == [["pages.town.example.com"], ["api", "town.example.com"]]
    bare = manager(config(BARE.replace("system s", "environment p { platform kubernetes }\nsystem s"), "p"))
    assert [host["domains"] for host in bare["route_config"]["virtual_hosts"]] == [["*"]]


def test_without_an_identity_nothing_is_said_of_tokens() -> None:
    parsed = config(BARE)
    assert "envoy.filters.http.jwt_authn" not in filters(parsed)
    assert "request_headers_to_remove" not in routes(parsed)["a /a/*"]


def test_metrics_and_traces_only_where_they_are_asked_for() -> None:
    parsed = config(BARE)
    assert [listener["name"] for listener in parsed["static_resources"]["listeners"]] == ["ingress"]
    assert "tracing" not in manager(parsed)


def test_an_image_of_ones_own_is_left_alone() -> None:
    assert rendered(BARE.replace("gateway g {", 'gateway g { image "openresty:1";')) == {}


def test_order_in_the_file_makes_no_difference() -> None:
    lines = SOURCE.splitlines()
    start = next(number for number, line in enumerate(lines) if "route /catalogue" in line)
    end = next(number for number, line in enumerate(lines) if "route /stock" in line)
    turned = [*lines[:start], *reversed(lines[start : end + 1]), *lines[end + 1 :]]
    path = "deploy/local/gateway/api/envoy.yaml"
    assert rendered("\n".join(turned), "local")[path] == rendered(SOURCE, "local")[path]


# ---- patches


def patched(*patches: str) -> dict[str, Any]:
    words = "\n".join(f"patch {patch}" for patch in patches)
    return config(BARE.replace("gateway g {", f"gateway g {{ envoy {{ {words} }};"))


def test_patches_reach_every_part() -> None:
    parsed = patched(
        'route """{name: "a /a/*", route: {timeout: 7s}}"""',
        'cluster """{name: a, connect_timeout: 9s}"""',
        'cluster """{name: other, connect_timeout: 1h}"""',
        'http """max_request_headers_kb: 60"""',
        'listener """tcp_backlog_size: 99"""',
        '"""stats_flush_interval: 9s\nadmin: null"""',
    )
    assert routes(parsed)["a /a/*"]["route"]["timeout"] == "7s"
    assert parsed["static_resources"]["clusters"][0]["connect_timeout"] == "9s"
    assert manager(parsed)["max_request_headers_kb"] == 60
    assert parsed["static_resources"]["listeners"][0]["tcp_backlog_size"] == 99
    assert parsed["stats_flush_interval"] == "9s"
    assert "admin" not in parsed


def test_no_patch_pulls_the_floor_from_another() -> None:
    parsed = patched(
        '"""static_resources: null"""', 'listener """filter_chains: []"""', 'http """route_config: 3"""',
        'route """route: {timeout: 7s}"""', 'cluster """name: [1]"""',
    )  # fmt: skip
    assert "static_resources" not in parsed
