"""Who may ask a gateway for what: routes spelled out into operations."""

import pytest

from archc.backends.gateway.access import accesses
from archc.backends.gateway.front import has_tls, hosts, trusted_hops
from archc.backends.gateway.places import cdn_site
from archc.compiler import model
from tests.backends.gateway.town import plan_of

SERVICE = """
  service a {
    rest v1 {
      GET /things scope=t.read
      POST /things status=201 { anonymous because "a form" }
      GET /things/{id}/parts/{part}
      DELETE /things/{id} scope=t.write timeout=9s
      PUT /other idempotent=yes
      GET /things/secret published=no
    }
  }
"""


def terms(routes: str, services: str = SERVICE, gateway: str = "authenticates login;") -> list[str]:
    """Each access in order, in one line: methods, path, and on which terms."""
    text = f"""
      system s {{
        identity login {{ engine dev; scope t.read; scope t.write; scope all }}
        gateway g {{ {gateway} {routes} }}
        {services}
        service opaque {{ image "x:1" }}
        frontend pages {{ mounts / }}
        frontend bff {{ mounts /; renders server }}
      }}"""
    plan = plan_of(text)
    gateway_ = plan.system["g"]
    assert isinstance(gateway_, model.Gateway)
    lines = []
    for access in accesses(plan.system, gateway_):
        words = ["|".join(access.methods) or "*", access.path + ("" if access.exact else "/*")]
        words += ["refused"] if access.refused else ["anonymous"] if access.anonymous else [*access.scopes]
        lines.append(" ".join(words))
    return lines


def test_a_route_lets_the_operations_through_and_nothing_else() -> None:
    assert terms("route /things -> a") == [
        "GET|HEAD /things/{}/parts/{}",
        "DELETE /things/{} t.write",
        "GET|HEAD /things t.read",
        "POST /things anonymous",
        "* /things/* refused",
    ]


def test_stripped_and_rewritten_paths() -> None:
    assert terms("route /api/v1 -> a strip=2")[:2] == [
        "PUT /api/v1/other",
        "GET|HEAD /api/v1/things/{}/parts/{}",
    ]
    assert terms("route /x -> a rewrite=/things")[0] == "GET|HEAD /x/{}/parts/{}"
    assert terms("route / -> a rewrite=/things")[-3:] == [
        "GET|HEAD / t.read",
        "POST / anonymous",
        "* //* refused",
    ]
    assert terms("route /api -> a strip=3")[-1] == "* /api/* refused"
    assert "GET|HEAD /api/{}/{}/things t.read" in terms("route /api -> a strip=3")
    assert terms("route /elsewhere -> a") == ["* /elsewhere/* refused"]
    assert terms("route /things/{number} -> a")[:2] == [
        "GET|HEAD /things/{}/parts/{}",
        "DELETE /things/{} t.write",
    ]
    assert terms("route /things/7 -> a")[:2] == ["GET|HEAD /things/7/parts/{}", "DELETE /things/7 t.write"]


def test_whoever_asks_for_a_scope_wins() -> None:
    assert terms('route /things -> a { anonymous because "x" }')[:4] == [
        "GET|HEAD /things/{}/parts/{} anonymous",
        "DELETE /things/{} t.write",
        "GET|HEAD /things t.read",
        "POST /things anonymous",
    ]
    assert terms("route /things -> a scope=all")[:4] == [
        "GET|HEAD /things/{}/parts/{} all",
        "DELETE /things/{} t.write all",
        "GET|HEAD /things t.read all",
        "POST /things anonymous",
    ]
    assert terms('route /x -> opaque scope=all { anonymous because "x" }') == ["* /x/* all"]


def test_a_routes_method_narrows_it() -> None:
    assert terms("route /things -> a method=DELETE") == [
        "DELETE /things/{} t.write",
        "DELETE /things/* refused",
    ]
    assert terms("route /x -> opaque method=GET; route /x -> pages") == ["GET|HEAD /x/*", "* /x/* anonymous"]


def test_pages_need_no_token_but_their_servers_do() -> None:
    assert terms("route /p -> pages; route /b -> bff; route /o -> opaque") == [
        "* /b/*",
        "* /o/*",
        "* /p/* anonymous",
    ]


def test_the_longest_prefix_comes_first_whatever_the_order_in_the_file() -> None:
    routes = ["route / -> pages", "route /a -> opaque", "route /a/b -> pages", "route /a/{x} -> opaque"]
    expected = ["* /a/b/* anonymous", "* /a/{}/*", "* /a/*", "* //* anonymous"]
    assert terms("\n".join(routes)) == terms("\n".join(reversed(routes))) == expected


def test_rpc_is_open_to_the_outside_only_where_there_is_nothing_else() -> None:
    services = "service a { rpc { Reserve scope=t.read; Watch stream } }"
    assert terms("route /stock.v1.Stock -> a", services) == [
        "POST /stock.v1.Stock/Reserve t.read",
        "POST /stock.v1.Stock/Watch",
        "* /stock.v1.Stock/* refused",
    ]
    assert terms("route / -> a", services)[:2] == ["POST /{}/Reserve t.read", "POST /{}/Watch"]
    both = "service a { rest v1 { GET /x }; rpc { Reserve } }"
    assert terms("route / -> a", both) == ["GET|HEAD /x", "* //* refused"]


def test_safe_methods_are_apart_where_requests_are_tried_again() -> None:
    assert terms("route /o -> opaque retries=2") == ["GET|HEAD /o/*", "* /o/*"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [("", 9_000), ("timeout=3s", 3_000)],
)
def test_the_nearest_timeout_holds(words: str, expected: int) -> None:
    service = SERVICE.replace(" scope=t.read", "").replace(" scope=t.write", "")
    plan = plan_of(f"system s {{ gateway g {{ timeout 5s; route /things -> a {words} }} {service} }}")
    gateway = plan.system["g"]
    assert isinstance(gateway, model.Gateway)
    times = {access.name: access.timeout_ms for access in accesses(plan.system, gateway)}
    assert times["a DELETE /things/{}"] == expected
    assert times["a GET /things"] == (3_000 if words else 5_000)


# ---- what stands in front

CHAIN = """
  system s {
    person p { visits edge }
    cdn edge { origin front; serves pages; cache /assets/* ttl=1d; cache /things/* ttl=1m }
    load-balancer front { host shop.example.com tls=auto; forwards g }
    gateway g { route /things -> a { anonymous because "x" }; route /own -> a { anonymous because "x" } }
    service a { image "x:1" }
    frontend pages { mounts /; mounts /app; composes [part]; framework react }
    frontend part { mounts /part }
  }
  environment local { platform compose; profile dev }
  environment production { platform kubernetes; profile dev }
"""


def test_hops_hosts_and_tls_follow_the_chain() -> None:
    plan = plan_of(CHAIN, "production")
    assert [trusted_hops(plan.graph, id_) for id_ in ("edge", "front", "g")] == [0, 1, 2]
    gateway, edge = plan.system["g"], plan.system["edge"]
    assert isinstance(gateway, model.Gateway) and isinstance(edge, model.Cdn)
    assert hosts(plan.graph, gateway) == ("g", "shop.example.com")
    assert hosts(plan.graph, edge) == ("edge", "shop.example.com")
    assert has_tls(plan.graph, gateway)
    local = plan_of(CHAIN, "local")
    assert hosts(local.graph, gateway) == ("127.0.0.1", "g", "localhost", "shop.example.com")
    bare = plan_of(CHAIN.replace("host shop.example.com tls=auto;", ""), "production")
    assert hosts(bare.graph, gateway) == ("*",)
    assert not has_tls(bare.graph, gateway)


def test_the_shortest_way_in_says_how_many_proxies_are_trusted() -> None:
    text = CHAIN.replace("load-balancer front", "load-balancer direct { forwards g }\n load-balancer front")
    assert trusted_hops(plan_of(text, "local").graph, "g") == 1
    circle = "system s { load-balancer x { forwards y }\n cdn y { origin x } }"
    assert trusted_hops(plan_of(circle).graph, "x") == 0


def test_mounts_routes_and_cache_rules_share_one_table() -> None:
    plan = plan_of(CHAIN, "local")
    edge = plan.system["edge"]
    assert isinstance(edge, model.Cdn)
    places = {
        place.path: (place.target.name, place.is_kept, place.ttl_s) for place in cdn_site(plan, edge).places
    }
    assert places == {
        "/assets": ("pages", True, 86_400),
        "/own": ("front", False, 0),
        "/part": ("part", True, 0),
        "/things": ("front", True, 60),
        "/": ("pages", True, 0),
    }
    assert list(places) == ["/assets", "/own", "/part", "/things", "/"]
