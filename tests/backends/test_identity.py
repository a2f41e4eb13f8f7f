"""Identity: the small issuer speaks OpenID Connect with PKCE, and Keycloak's realm says the same things."""

import asyncio
import base64
import hashlib
import json
import re
import secrets
from collections.abc import Coroutine
from html.parser import HTMLParser
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from archc.backends.backend import Plan
from archc.backends.identity import BACKEND, issuer_settings
from archc.backends.identity.issuer.app import create
from archc.backends.identity.issuer.grants import DEV_USER
from archc.backends.identity.issuer.settings import Settings, from_data
from archc.backends.identity.keycloak import realm
from archc.compiler import model
from archc.compiler.pipeline import compile_source

T = TypeVar("T")
SYSTEM = """
system shop "A ${KC_BOOTSTRAP_ADMIN_PASSWORD} shop" {
  gateway api { host shop.example.com tls=auto; authenticates login; route /orders -> orders }
  identity login {
    engine ENGINE
    role customer
    role staff
    scope orders.read roles=[customer staff]
    scope orders.write roles=[staff]
    client storefront flow=pkce
    client mailer flow=credentials
    token-lifetime 10m
  }
  type Order { id uuid key }
  frontend storefront { mounts /shop; calls api }
  service orders { rest {
    GET /orders -> [Order] scope=orders.read
    POST /orders Order -> Order scope=orders.write
  } }
  worker mailer { calls orders GET /orders }
}
environment local { platform compose; profile dev }
"""
RETURN = "http://localhost:8080/shop/back"


def plan_of(engine: str) -> Plan:
    compilation = compile_source({"s.arch": SYSTEM.replace("ENGINE", engine)}, "local")
    assert compilation.system is not None, compilation.diagnostics
    return Plan(compilation, compilation.system, compilation.graph)


def login_of(plan: Plan) -> model.Identity:
    identity = plan.system["login"]
    assert isinstance(identity, model.Identity)
    return identity


@pytest.fixture
def told(tmp_path: Any) -> Settings:
    """The issuer's settings as the container has them, its secret beside."""
    plan = plan_of("dev")
    data = json.loads(json.dumps(issuer_settings(plan, login_of(plan))))
    (tmp_path / "secret").write_text("s3cret\n")
    for client in data["clients"]:
        if "secret_file" in client:
            assert client["secret_file"] == "/run/secrets/mailer-client-secret"
            client["secret_file"] = str(tmp_path / "secret")
    return from_data(data)


class Browser:
    """Talks to the issuer in process."""

    def __init__(self, settings: Settings) -> None:
        transport = httpx.ASGITransport(app=create(settings))
        self.client = httpx.AsyncClient(transport=transport, base_url=settings.issuer)

    def get(self, path: str, **parameters: str) -> httpx.Response:
        return run(self.client.get(path, params=parameters))

    def post(self, path: str, data: dict[str, str], **more: Any) -> httpx.Response:
        return run(self.client.post(path, data=data, **more))


def run(awaited: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(awaited)


@pytest.fixture
def browser(told: Settings) -> Browser:
    return Browser(told)


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def request_of(verifier: str, **more: str) -> dict[str, str]:
    parameters = {
        "client_id": "storefront",
        "redirect_uri": RETURN,
        "response_type": "code",
        "scope": "openid orders.read",
        "state": 'a"><b&c',
        "nonce": "once",
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
    } | more
    return {name: value for name, value in parameters.items() if value}


class Form(HTMLParser):
    """The hidden fields and the buttons of a page's form."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.users: list[str] = []
        self.tags: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.add(tag)
        if tag == "input":
            self.fields[str(values["name"])] = str(values["value"])
        if tag == "button":
            self.users.append(str(values["value"]))


def query_of(response: httpx.Response) -> dict[str, str]:
    return {
        name: values[0] for name, values in parse_qs(urlsplit(response.headers["location"]).query).items()
    }


def logged_in(browser: Browser, verifier: str, user: str = "customer", **more: str) -> dict[str, str]:
    """What the application gets back after a login."""
    page = browser.get("/authorize", **request_of(verifier, **more))
    form = Form(page.text)
    assert page.status_code == 200 and user in form.users
    back = browser.post("/authorize", {**form.fields, "user": user})
    assert back.status_code == 303
    assert back.headers["location"].startswith(RETURN)
    return query_of(back)


def exchanged(browser: Browser, code: str, verifier: str, **more: str) -> httpx.Response:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": RETURN,
        "client_id": "storefront",
        "code_verifier": verifier,
    }
    return browser.post("/token", {**form, **more})


def claims_of(browser: Browser, token: str) -> dict[str, Any]:
    keys = KeySet.import_key_set(browser.get("/jwks").json())
    decoded = jwt.decode(token, keys, algorithms=["RS256"])
    assert decoded.header["kid"] == keys.keys[0].kid
    return dict(decoded.claims)


# ---- the small issuer


def test_discovery_names_what_is_there(browser: Browser, told: Settings) -> None:
    found = browser.get("/.well-known/openid-configuration").json()
    assert found["issuer"] == told.issuer == "http://localhost:8090"
    assert found["code_challenge_methods_supported"] == ["S256"]
    for name in ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"):
        assert browser.get(found[name].removeprefix(told.issuer)).status_code != 404
    keys = browser.get("/jwks").json()["keys"]
    assert not {"d", "p", "q", "dp", "dq", "qi"} & keys[0].keys()


def test_login_with_pkce_gives_the_roles_scopes(browser: Browser) -> None:
    verifier = secrets.token_urlsafe(48)
    back = logged_in(browser, verifier)
    assert (back["state"], back["iss"]) == ('a"><b&c', "http://localhost:8090")
    answer = exchanged(browser, back["code"], verifier)
    assert answer.headers["cache-control"] == "no-store"
    token = answer.json()
    assert (token["token_type"], token["expires_in"], token["scope"]) == ("Bearer", 600, "orders.read")
    access = claims_of(browser, token["access_token"])
    assert (access["iss"], access["aud"], access["roles"]) == ("http://localhost:8090", "shop", ["customer"])
    assert access["scope"] == "orders.read" and access["exp"] - access["iat"] == 600
    identity = claims_of(browser, token["id_token"])
    assert (identity["aud"], identity["nonce"], identity["sub"]) == ("storefront", "once", access["sub"])
    authorization = {"Authorization": f"Bearer {token['access_token']}"}
    who = run(browser.client.get("/userinfo", headers=authorization))
    assert who.json() == {"sub": access["sub"], "name": "customer", "roles": ["customer"]}


def test_a_role_gets_no_scope_that_it_does_not_carry(browser: Browser) -> None:
    verifier = secrets.token_urlsafe(48)
    for user, expected in (("customer", "orders.read"), ("staff", "orders.read orders.write")):
        back = logged_in(browser, verifier, user, scope="orders.read orders.write")
        assert exchanged(browser, back["code"], verifier).json()["scope"] == expected
        back = logged_in(browser, verifier, user, scope="")
        assert exchanged(browser, back["code"], verifier).json()["scope"] == expected


def test_a_code_is_good_once_for_one_application_with_one_verifier(browser: Browser) -> None:
    verifier = secrets.token_urlsafe(48)
    for wrong in (
        {"code_verifier": secrets.token_urlsafe(48)},
        {"code_verifier": ""},
        {"code_verifier": "é"},
        {"client_id": "mailer"},
        {"redirect_uri": RETURN + "x"},
    ):
        code = logged_in(browser, verifier)["code"]
        refused = exchanged(browser, code, verifier, **wrong)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
        # A failed attempt has used it up.
        assert exchanged(browser, code, verifier).status_code == 400
    code = logged_in(browser, verifier)["code"]
    assert exchanged(browser, code, verifier).status_code == 200
    assert exchanged(browser, code, verifier).json()["error"] == "invalid_grant"


def test_the_login_page_escapes_what_it_repeats(browser: Browser) -> None:
    hostile = '"><script>alert(1)</script>'
    page = browser.get("/authorize", **request_of("v" * 43, state=hostile, nonce=hostile))
    assert "script" not in Form(page.text).tags
    assert Form(page.text).fields["state"] == hostile
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "nobody"},
        {"client_id": "mailer"},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": "http://localhost.evil.example/"},
        {"redirect_uri": "http://user@localhost:8080/"},
        {"redirect_uri": "http://localhost:8080/#x"},
        {"redirect_uri": "http://localhost:port/"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": ""},
    ],
)
def test_a_request_that_cannot_be_trusted_is_never_sent_back(browser: Browser, wrong: dict[str, str]) -> None:
    answer = browser.get("/authorize", **request_of("v" * 43, **wrong))
    assert answer.status_code == 400
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"scope": "everything"}, "invalid_scope"),
    ],
)
def test_other_faults_go_back_to_the_application(browser: Browser, wrong: dict[str, str], error: str) -> None:
    answer = browser.get("/authorize", **request_of("v" * 43, **wrong))
    assert answer.status_code == 303
    assert query_of(answer)["error"] == error


def test_nobody_else_can_log_in(browser: Browser) -> None:
    back = browser.post("/authorize", {**request_of("v" * 43), "user": "root"})
    assert query_of(back)["error"] == "access_denied"


@pytest.mark.parametrize("how", ["basic", "post"])
def test_a_machine_gets_the_scopes_of_what_it_calls(browser: Browser, how: str) -> None:
    form = {"grant_type": "client_credentials"}
    if how == "basic":
        answer = browser.post("/token", form, auth=("mailer", "s3cret"))
    else:
        answer = browser.post("/token", {**form, "client_id": "mailer", "client_secret": "s3cret"})
    claims = claims_of(browser, answer.json()["access_token"])
    assert (claims["sub"], claims["scope"], claims["roles"]) == ("mailer", "orders.read", [])


@pytest.mark.parametrize(
    ("client", "secret"), [("mailer", "wrong"), ("storefront", ""), ("nobody", "s3cret")]
)
def test_no_token_without_the_secret(browser: Browser, client: str, secret: str) -> None:
    answer = browser.post("/token", {"grant_type": "client_credentials"}, auth=(client, secret))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["www-authenticate"] == "Basic"


def test_a_command_line_gets_a_token_for_a_user(browser: Browser) -> None:
    form = {"grant_type": DEV_USER, "client_id": "storefront", "username": "staff", "scope": "orders.write"}
    claims = claims_of(browser, browser.post("/token", form).json()["access_token"])
    assert (claims["scope"], claims["roles"]) == ("orders.write", ["staff"])
    assert browser.post("/token", {**form, "username": "root"}).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("content", "kind", "error"),
    [
        (b"{}", "application/json", "invalid_request"),
        (b"", "application/x-www-form-urlencoded", "unsupported_grant_type"),
        (b"grant_type=a&grant_type=b", "application/x-www-form-urlencoded", "invalid_request"),
        (b"grant_type=password", "application/x-www-form-urlencoded", "unsupported_grant_type"),
        (b"\xff", "application/x-www-form-urlencoded", "invalid_request"),
        (b"a=" + b"b" * 20_000, "application/x-www-form-urlencoded", "invalid_request"),
        (b"a&" * 60, "application/x-www-form-urlencoded", "invalid_request"),
    ],
)
def test_bad_forms_are_refused(browser: Browser, content: bytes, kind: str, error: str) -> None:
    answer = run(browser.client.post("/token", content=content, headers={"content-type": kind}))
    assert answer.status_code in (400, 413)
    assert answer.json()["error"] == error


@pytest.mark.parametrize("header", ["", "Basic x", "Basic !!!", "Bearer x", "Bearer a.b.c"])
def test_bad_headers_are_refused(browser: Browser, header: str) -> None:
    headers = {"authorization": header}
    assert run(browser.client.get("/userinfo", headers=headers)).status_code == 401
    form = {"grant_type": "client_credentials"}
    assert run(browser.client.post("/token", data=form, headers=headers)).status_code == 401


def test_a_token_of_somebody_elses_key_is_refused(browser: Browser) -> None:
    other = RSAKey.generate_key(2048)
    claims = {"iss": "http://localhost:8090", "aud": "shop", "sub": "x", "exp": 1 << 40}
    for token in (
        jwt.encode({"alg": "RS256"}, claims, other),
        ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).decode() for p in ({"alg": "none"}, claims))
        + ".",
    ):
        answer = run(browser.client.get("/userinfo", headers={"authorization": f"Bearer {token}"}))
        assert answer.status_code == 401


def test_the_same_key_file_has_the_same_id(told: Settings) -> None:
    data = {"issuer": "i", "audience": "a", "token_lifetime_s": 1, "roles": [], "scopes": {}, "clients": []}
    pem = RSAKey.generate_key(2048).as_pem(private=True)
    assert from_data(data, pem).key.kid == from_data(data, pem).key.kid != from_data(data).key.kid


def test_browsers_of_this_machine_may_ask_for_tokens(browser: Browser) -> None:
    for origin, allowed in (("http://localhost:5173", True), ("https://evil.example", False)):
        answer = run(browser.client.get("/jwks", headers={"origin": origin}))
        assert ("access-control-allow-origin" in answer.headers) is allowed


# ---- what is written


def test_the_issuers_folder_is_complete_and_holds_no_secret() -> None:
    outputs = BACKEND.render(plan_of("dev"))
    folder = "deploy/local/identity/login"
    names = {path.removeprefix(folder + "/") for path in outputs}
    assert {"Dockerfile", "requirements.txt", "realm.json", "issuer/app.py", "issuer/__init__.py"} <= names
    dockerfile = outputs[f"{folder}/Dockerfile"].content
    assert "USER 10001:10001" in dockerfile
    pins = outputs[f"{folder}/requirements.txt"].content.split()
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", pin) for pin in pins)
    data = json.loads(outputs[f"{folder}/realm.json"].content)
    assert data["clients"][0]["redirect_uris"] == [
        "http://localhost:8080/shop/*",
        "https://shop.example.com/shop/*",
    ]
    assert "archc." not in "".join(o.content for p, o in outputs.items() if p.endswith(".py"))


def test_keycloaks_realm_says_the_same() -> None:
    plan = plan_of("keycloak")
    data = realm(plan, login_of(plan))
    assert (data["realm"], data["accessTokenLifespan"], data["sslRequired"]) == ("shop", 600, "external")
    clients = {client["clientId"]: client for client in data["clients"]}
    storefront, mailer = clients["storefront"], clients["mailer"]
    assert storefront["publicClient"] and storefront["attributes"]["pkce.code.challenge.method"] == "S256"
    assert storefront["redirectUris"] == ["http://localhost:8080/shop/*", "https://shop.example.com/shop/*"]
    assert not any(c["implicitFlowEnabled"] or c["directAccessGrantsEnabled"] for c in clients.values())
    assert mailer["secret"] == "${CLIENT_SECRET_MAILER}" and not mailer["publicClient"]
    carried = {mapping["clientScope"]: mapping["roles"] for mapping in data["scopeMappings"]}
    assert carried == {"orders.read": ["customer", "staff", "service.mailer"], "orders.write": ["staff"]}
    assert data["users"][0]["realmRoles"] == ["service.mailer"]
    audience = next(m for m in data["clientScopes"][0]["protocolMappers"] if m["name"] == "audience")
    assert audience["config"]["included.custom.audience"] == "shop"


def test_a_title_cannot_read_keycloaks_environment() -> None:
    outputs = BACKEND.render(plan_of("keycloak"))
    text = outputs["deploy/local/identity/login/realm.json"].content
    assert re.findall(r"\$\{.*?\}", text) == ["${CLIENT_SECRET_MAILER}"]


def test_the_same_text_gives_the_same_files() -> None:
    for engine in ("dev", "keycloak"):
        assert BACKEND.render(plan_of(engine)) == BACKEND.render(plan_of(engine))
