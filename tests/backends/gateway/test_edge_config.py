"""The generated configuration of CDNs and load balancers, and that their programs take it."""

from pathlib import Path

import pytest

from archc.backends.gateway.rendering import Pattern, render
from tests.backends.gateway.proxies import check_haproxy, check_nginx, check_varnish
from tests.backends.gateway.town import SOURCE, rendered

# Every character that a path of the language may hold.
PATHS = (
    "/p$th/100%/{x}.json/~!,+@:",
    "/caf\u00e9/*",
    "/a/{id}/b/*",
    "/$http_authorization",
    "/..%2f",
    "/x.y-z",
)
EDGE = """
  system s {
    cdn c { CDN; host "*.a.example"; host b.example tls=auto; origin l; serves f; RULES }
    load-balancer l { BALANCER; forwards g; forwards a; algorithm ALGORITHM; replicas 2 }
    gateway g { image "x:1"; replicas 3; port 80 inside=8000; ROUTES }
    service a { image "x:1"; port 9000 }
    frontend f { mounts MOUNT }
  }
  environment local { platform compose; profile dev }
  environment production { platform kubernetes; profile dev }
"""


def edge(engine: str = "", balancer: str = "", algorithm: str = "round-robin") -> str:
    rules = "; ".join(f"cache {path} ttl=99y stale=1ms" for path in PATHS)
    routes = "; ".join(f"route {path}/more -> a" for path in PATHS if not path.endswith("*"))
    text = EDGE.replace("RULES", rules).replace("ROUTES", routes).replace("MOUNT", PATHS[0])
    text = text.replace("CDN;", f"engine {engine};" if engine else "")
    text = text.replace("BALANCER;", f"engine {balancer};" if balancer else "")
    return text.replace("ALGORITHM", algorithm)


@pytest.mark.parametrize("environment", ["local", "production"])
@pytest.mark.parametrize("algorithm", ["round-robin", "least-requests", "random", "ip-hash"])
def test_nginx_takes_it_without_a_word(tmp_path: Path, environment: str, algorithm: str) -> None:
    files = rendered(edge(algorithm=algorithm), environment)
    assert sorted(path.rsplit("/", 1)[1] for path in files) == ["nginx.conf", "nginx.conf"]
    for conf in files.values():
        said = check_nginx(tmp_path, conf)
        assert "test is successful" in said
        assert not {"[warn]", "[alert]", "[emerg]"} & set(said.split())


@pytest.mark.parametrize("algorithm", ["round-robin", "least-requests", "random", "ip-hash"])
def test_haproxy_takes_it_without_a_word(tmp_path: Path, algorithm: str) -> None:
    files = rendered(edge(balancer="haproxy", algorithm=algorithm), "production")
    done = check_haproxy(tmp_path, files["deploy/production/load-balancer/l/haproxy.cfg"])
    assert (done.returncode, done.stderr) == (0, "")


def test_varnish_takes_it(tmp_path: Path) -> None:
    files = rendered(edge(engine="varnish"), "local")
    done = check_varnish(tmp_path, files["deploy/local/cdn/c/default.vcl"])
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("engine", ["nginx", "varnish"])
def test_a_lone_cdn_and_a_lone_balancer_are_fine(tmp_path: Path, engine: str) -> None:
    files = rendered(
        f"system s {{ cdn c {{ engine {engine} }}\n load-balancer l\n load-balancer m {{ engine haproxy }} }}"
    )
    assert "test is successful" in check_nginx(tmp_path, files["deploy/base/load-balancer/l/nginx.conf"])
    assert check_haproxy(tmp_path, files["deploy/base/load-balancer/m/haproxy.cfg"]).returncode == 0
    if engine == "nginx":
        assert "test is successful" in check_nginx(tmp_path, files["deploy/base/cdn/c/nginx.conf"])
    else:
        assert check_varnish(tmp_path, files["deploy/base/cdn/c/default.vcl"]).returncode == 0


def test_engines_configured_by_hand_get_a_page_that_says_what_is_asked_of_them() -> None:
    text = SOURCE.replace("cdn edge {", "cdn edge { engine cloudflare;").replace(
        "gateway api {", "gateway api { engine kong;"
    )
    pages = rendered(text.replace("front {", "front { engine cloud;"))
    assert [path.removeprefix("deploy/local/") for path in sorted(pages)] == [
        "cdn/edge/README.md",
        "gateway/api/README.md",
        "load-balancer/front/README.md",
    ]
    assert "| /assets | site:8080 | 2592000 s | 0 s |" in pages["deploy/local/cdn/edge/README.md"]
    assert (
        "| POST | /orders | orders | a token orders.write | 0.7 |"
        in pages["deploy/local/gateway/api/README.md"]
    )
    assert "| any | /orders/\\* | orders | refused | 15 |" in pages["deploy/local/gateway/api/README.md"]
    assert "| / | api:8080 | no | 0 s |" in pages["deploy/local/load-balancer/front/README.md"]


def test_addresses_may_move_on_compose_where_the_choice_is_free() -> None:
    files = rendered(SOURCE, "local")
    assert "resolver 127.0.0.11" in files["deploy/local/cdn/edge/nginx.conf"]
    assert "set $target api:8080;" in files["deploy/local/load-balancer/front/nginx.conf"]
    two = rendered(SOURCE.replace("gateway api {", "gateway api { replicas 2;"), "local")
    assert "least_conn;" in two["deploy/local/load-balancer/front/nginx.conf"]
    production = rendered(SOURCE, "production")["deploy/production/cdn/edge/nginx.conf"]
    assert "resolver" not in production
    assert "server front:8080 max_fails=3" in production


def test_a_volume_of_the_cdn_is_its_cache() -> None:
    plain = rendered(SOURCE)["deploy/local/cdn/edge/nginx.conf"]
    assert "proxy_cache_path /var/cache/nginx levels=1:2" in plain
    text = SOURCE.replace("cdn edge {", "cdn edge { volume /data/kept 10Gi;")
    conf = rendered(text)["deploy/local/cdn/edge/nginx.conf"]
    assert "proxy_cache_path /data/kept levels=1:2" in conf
    assert f"max_size={(10 << 30) // 10 * 9} " in conf
    odd = rendered(text.replace("/data/kept", "/data/KEPT"))["deploy/local/cdn/edge/nginx.conf"]
    assert "proxy_cache_path /var/cache/nginx levels=1:2" in odd


def test_health_is_told_where_the_block_says() -> None:
    text = SOURCE.replace("cdn edge {", "cdn edge { health /up;").replace(
        "gateway api {", "gateway api { health /up/2;"
    )
    files = rendered(text.replace("front {", "front { engine haproxy; health /o$d;"))
    assert "location = /up {" in files["deploy/local/cdn/edge/nginx.conf"]
    assert "exact: /up/2" in files["deploy/local/gateway/api/envoy.yaml"]
    assert "uri /up/2 ver" in files["deploy/local/load-balancer/front/haproxy.cfg"]
    assert "path /healthz" in files["deploy/local/load-balancer/front/haproxy.cfg"]


def test_the_ports_inside_count_on_compose_and_those_outside_on_kubernetes() -> None:
    assert "g:8000" in rendered(edge(), "local")["deploy/local/load-balancer/l/nginx.conf"]
    assert "g:80 " in rendered(edge(), "production")["deploy/production/load-balancer/l/nginx.conf"]


@pytest.mark.parametrize("text", ["a;b", "$x", "a b", "a\n", "{", '"', "\\", "a'"])
def test_a_template_writes_nothing_that_means_something(text: str) -> None:
    with pytest.raises(ValueError, match="may not write"):
        render("drain.sh.j2", admin_port=text, notice_s=1, drain_s=1)
    assert render("drain.sh.j2", admin_port=Pattern("x y"), notice_s=1, drain_s=1)
