"""The shop's services as processes, with a real PostgreSQL and a real Redis behind them."""

import asyncio
import json
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pydantic
import pytest
from joserfc import jwk, jwt

from archc.backends.services.runtime.errors import ProblemError
from archc.backends.services.runtime.grpc_client import GrpcClient
from archc.backends.services.runtime.grpc_schema import Field, Schema
from archc.backends.services.runtime.grpc_server import GrpcServer, Rpc
from archc.backends.services.runtime.http_client import Policy
from archc.backends.services.runtime.identity import Caller
from tests.backends.services import programs
from tests.backends.services.programs import Postgres, Service, wait_until
from tests.backends.services.test_generated import SHOP, outputs

TEAPOT = str(uuid.UUID(int=1))
CUSTOMER = str(uuid.UUID(int=9))
KEY = jwk.RSAKey.generate_key(2048, {"kid": "k"})
ISSUER, AUDIENCE = "http://login.test", "shop"


SPANS: list[dict[str, Any]] = []


class Outside(BaseHTTPRequestHandler):
    """The identity provider's keys, and a collector of traces."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        for resource in body["resourceSpans"]:
            service = resource["resource"]["attributes"][0]["value"]["stringValue"]
            for scope in resource["scopeSpans"]:
                SPANS.extend({**span, "service": service} for span in scope["spans"])
        self.send_response(200)
        self.end_headers()

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"keys": [KEY.as_dict(private=False)]}).encode())

    def log_message(self, *_: object) -> None:
        return


def token(subject: str = "ann", scope: str = "orders.read orders.write") -> dict[str, str]:
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "scope": scope, "exp": int(time.time()) + 300}
    return {"authorization": f"Bearer {jwt.encode({'alg': 'RS256', 'kid': 'k'}, claims, KEY)}"}


class Reserve(pydantic.BaseModel):
    product: str
    quantity: int


class Reservation(pydantic.BaseModel):
    id: str


STOCK = Schema(
    "ordering.stock.v1",
    {
        "ReserveRequest": [
            Field("product", 1, "string", "product"),
            Field("quantity", 2, "int64", "quantity"),
        ],
        "ReserveResponse": [
            Field("id", 1, "string", "id"),
            Field("until", 2, "google.protobuf.Timestamp", "until"),
        ],
    },
    {},
)


class Stock(threading.Thread):
    """The stock service, in a thread: it has 50 of everything."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.port = programs.free_port()
        self.loop = asyncio.new_event_loop()
        self.started_up = threading.Event()

    async def reserve(self, request: Reserve, caller: Caller) -> dict[str, Any]:
        if request.quantity > 50:
            raise ProblemError(412, "there is not enough left")
        return {
            "id": str(uuid.uuid4()),
            "until": pydantic.TypeAdapter(pydantic.AwareDatetime).validate_python("2030-01-01T00:00:00Z"),
        }

    def run(self) -> None:
        async def serve() -> None:
            work = Rpc(
                "Reserve",
                "",
                "ReserveRequest",
                "ReserveResponse",
                pydantic.TypeAdapter(Reserve),
                self.reserve,
            )
            server = GrpcServer(
                "ordering.stock.v1.StockService", STOCK.load(), [work], f"127.0.0.1:{self.port}"
            )
            await server.open()
            self.started_up.set()
            await asyncio.Event().wait()

        self.loop.run_until_complete(serve())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop's services, with their handlers, and the secrets."""
    root = tmp_path_factory.mktemp("running")
    for path, output in outputs("shop").items():
        own = SHOP / path
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(
            own.read_text("utf-8") if own.exists() and output.ownership == "once" else output.content, "utf-8"
        )
    (root / "secrets").mkdir()
    for name in ("orders-db", "products-db", "pictures"):
        (root / "secrets" / f"{name}-password").write_text(f"{programs.PASSWORD}\n")
    return root


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    server = Postgres()
    try:
        server.create("orders_db")
        server.create("products_db")
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="module")
def environ(folder: Path, postgres: Postgres) -> Iterator[dict[str, str]]:
    """What all services are told."""
    keys = ThreadingHTTPServer(("127.0.0.1", 0), Outside)
    threading.Thread(target=keys.serve_forever, daemon=True).start()
    nobody = programs.free_port()
    with programs.redis(folder) as redis:
        yield {
            "SECRETS_FOLDER": str(folder / "secrets"),
            "DATABASE_ORDERS_DB_URL": postgres.url("orders_db"),
            "DATABASE_PRODUCTS_DB_URL": postgres.url("products_db"),
            "CACHE_CARTS_URL": redis,
            "SEARCH_PRODUCTS_INDEX_URL": f"http://127.0.0.1:{nobody}",
            "BUCKET_PICTURES_URL": f"http://pictures@127.0.0.1:{nobody}/pictures",
            "EXTERNAL_STRIPE_URL": f"http://127.0.0.1:{nobody}",
            "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{nobody}",
            "OIDC_ISSUER": ISSUER,
            "OIDC_AUDIENCE": AUDIENCE,
            "OIDC_JWKS_URI": f"http://127.0.0.1:{keys.server_port}/jwks",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{keys.server_port}",
        }
    keys.shutdown()


@pytest.fixture(scope="module")
def products(folder: Path, environ: dict[str, str]) -> Iterator[Service]:
    service = Service(folder / "services/products", "products", environ)
    yield service.wait()
    programs.stop(service.process)


@pytest.fixture(scope="module")
def orders(folder: Path, environ: dict[str, str], products: Service) -> Iterator[Service]:
    stock = Stock()
    stock.start()
    assert stock.started_up.wait(10)
    callees = {
        "SERVICE_PRODUCTS_URL": products.url,
        "SERVICE_STOCK_GRPC_URL": f"http://127.0.0.1:{stock.port}",
    }
    service = Service(folder / "services/orders", "orders", {**environ, **callees})
    yield service.wait()
    programs.stop(service.process)


def place(orders: Service, quantity: int = 2, product: str = TEAPOT, **headers: str) -> httpx.Response:
    body = {"customer": CUSTOMER, "lines": [{"product": product, "quantity": quantity, "price": "0.01"}]}
    return httpx.post(f"{orders.url}/orders", json=body, headers={**token(), **headers}, timeout=10)


def test_a_catalogue_is_read_page_by_page(products: Service) -> None:
    names, cursor = [], None
    while True:
        page = products.get(
            "/catalogue", params={"limit": 2, **({"cursor": cursor} if cursor else {})}
        ).json()
        names += [product["name"] for product in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert names == ["Teapot", "Cup", "Darjeeling, 100 g"]


@pytest.mark.parametrize(
    ("path", "status"), [(TEAPOT, 200), (str(uuid.UUID(int=99)), 404), ("rubbish", 422), ("", 404)]
)
def test_a_product_is_found_or_not(products: Service, path: str, status: int) -> None:
    assert products.get(f"/catalogue/{path}").status_code == status


def test_grpc_answers_beside_http(products: Service) -> None:
    schema = Schema(
        "catalogue.products.v1",
        {
            "PriceRequest": [
                Field("product", 1, "string", "product"),
                Field("quantity", 2, "int64", "quantity"),
            ],
            "PriceResponse": [Field("product", 1, "string", "product"), Field("total", 2, "string", "total")],
        },
        {},
    )

    async def ask() -> Any:
        url = f"http://127.0.0.1:{products.environ['GRPC_PORT']}"
        client = GrpcClient("products", url, "catalogue.products.v1.ProductsService", schema.load())
        await client.open()
        kind = pydantic.TypeAdapter(dict[str, Any])
        try:
            return await client.call(
                Policy(5),
                "Price",
                ("PriceRequest", "PriceResponse"),
                {"product": TEAPOT, "quantity": 3},
                kind,
            )
        finally:
            await client.close()

    assert asyncio.run(ask()) == {"product": TEAPOT, "total": "74.70"}


def test_an_order_is_placed_kept_and_told_of(orders: Service, postgres: Postgres) -> None:
    answer = place(orders)
    assert answer.status_code == 201, answer.text
    order = answer.json()
    assert (order["total"], order["status"], order["lines"][0]["price"]) == ("49.80", "placed", "24.90")
    found = orders.get(f"/orders/{order['id']}", headers=token())
    assert found.json() == order
    waiting = postgres.psql(f"SELECT count(*) FROM archc_outbox WHERE key = '{order['id']}'", "orders_db")
    assert waiting == "1"  # there is no broker; the event waits


def test_a_request_can_be_followed_through_the_services(orders: Service) -> None:
    trace, caller = "a" * 31 + "b", "c" * 16
    assert place(orders, traceparent=f"00-{trace}-{caller}-01").status_code == 201
    wanted = {"orders POST post_orders", "orders GET products", "products GET get_catalogue_by_id"}

    def seen() -> dict[str, dict[str, Any]]:
        return {f"{span['service']} {span['name']}": span for span in SPANS if span["traceId"] == trace}

    wait_until(lambda: wanted <= seen().keys(), f"spans come: {seen().keys()}")
    ours, call, theirs = (seen()[name] for name in ("orders POST post_orders", "orders GET products",
                                                    "products GET get_catalogue_by_id"))  # fmt: skip
    assert ours["parentSpanId"] == caller
    assert call["parentSpanId"] == ours["spanId"]
    assert theirs["parentSpanId"] == call["spanId"]
    place(orders, traceparent=f"00-{'d' * 32}-{caller}-00")  # somebody decided that this one is not kept
    assert not [span for span in SPANS if span["traceId"] == "d" * 32]


def test_nobody_sees_an_order_of_somebody_else(orders: Service) -> None:
    order = place(orders).json()
    assert orders.get(f"/orders/{order['id']}", headers=token("bob")).status_code == 404


def test_tokens_and_scopes_are_asked_for(orders: Service) -> None:
    path = f"/orders/{uuid.uuid4()}"
    assert orders.get(path).status_code == 401
    assert orders.get(path, headers={"authorization": "Bearer rubbish"}).status_code == 401
    assert orders.get(path, headers={"x-user-id": "ann"}).status_code == 401
    assert orders.get(path, headers=token(scope="orders.write xorders.read")).status_code == 403
    assert orders.get(path, headers=token()).status_code == 404


def test_a_repeated_order_is_placed_once(orders: Service, postgres: Postgres) -> None:
    key = {"idempotency-key": "once"}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: place(orders, **key), range(16)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    placed = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    assert len(placed) == 1
    assert place(orders, **key).json()["id"] in placed
    assert place(orders, quantity=3, **key).status_code == 422


@pytest.mark.parametrize(
    ("quantity", "product", "status"), [(51, TEAPOT, 409), (1, CUSTOMER, 422), (0, TEAPOT, 422)]
)
def test_what_cannot_be_ordered_is_refused(orders: Service, quantity: int, product: str, status: int) -> None:
    assert place(orders, quantity, product).status_code == status


def test_personal_data_is_not_in_the_logs(orders: Service) -> None:
    place(orders)
    assert orders.log
    assert CUSTOMER not in orders.log
    assert programs.PASSWORD not in orders.log
    assert all(json.loads(line)["service"] == "orders" for line in orders.log.splitlines())


def test_its_own_health_command_says_what_its_address_says(products: Service) -> None:
    command = [sys.executable, "-m", "products.health"]
    assert subprocess.run(command, env=products.environ, check=False).returncode == 0
    nobody = {**products.environ, "PORT": str(programs.free_port())}
    assert subprocess.run(command, env=nobody, check=False).returncode == 1


def test_a_database_may_go_and_come_back(products: Service, postgres: Postgres) -> None:
    postgres.stop()
    try:
        wait_until(lambda: not products.is_ready(), "it is not ready without its database")
        assert products.get("/health/live").status_code == 200
        answer = products.get("/catalogue")
        assert answer.status_code == 502
        assert answer.headers["content-type"] == "application/problem+json"
    finally:
        postgres.start()
    wait_until(products.is_ready, "it is ready again")
    assert products.get("/catalogue").status_code == 200


def test_all_settings_that_are_missing_are_named(folder: Path) -> None:
    service = Service(folder / "services/orders", "orders", {"SECRETS_FOLDER": str(folder)})
    assert service.process.wait(30) == 2
    for name in ("DATABASE_ORDERS_DB_URL", "KAFKA_BOOTSTRAP_SERVERS", "OIDC_ISSUER", "EXTERNAL_STRIPE_URL"):
        assert name in service.log


def test_nothing_is_lost_when_it_ends_under_load(
    folder: Path, environ: dict[str, str], products: Service
) -> None:
    service = Service(folder / "services/products", "products", environ).wait()
    outcomes: list[int] = []
    is_over = threading.Event()

    def ask() -> None:
        with httpx.Client(timeout=10) as client:
            while not is_over.is_set():
                outcomes.append(client.get(f"{service.url}/catalogue").status_code)

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask) for _ in range(4)]
        wait_until(lambda: len(outcomes) > 40, "requests are answered")
        service.process.terminate()
        wait_until(lambda: not service.is_ready(), "it says that it is ending")
        count = len(outcomes)
        time.sleep(0.3)
        assert len(outcomes) > count  # while callers learn that it is ending, they are answered still
        is_over.set()  # now they know, and go elsewhere
        for one in asking:
            one.result()
    assert set(outcomes) == {200}
    assert service.process.wait(30) == 0
