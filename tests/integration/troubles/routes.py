"""Every route, the stores that it needs, and its answer when all stores work."""

import uuid
from dataclasses import dataclass, field

from tests.helpers.support import USERS

REDIS, POSTGRESQL, SQS = "redis", "postgresql", "sqs"


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    needs: frozenset[str]
    status: int
    body: dict[str, object] | None = field(default=None, hash=False)
    key: bool = False
    # The status while PostgreSQL is down, if that is another one.
    without_postgresql: int = 0

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    def status_without(self, store) -> int:
        """Return the status while a store is down that the route does not need."""
        return (self.without_postgresql if store == POSTGRESQL else 0) or self.status

    async def ask(self, edge, product_id, order_id=""):
        path = self.path.format(product=product_id, order=order_id or f"{product_id}:1-1")
        names = {"productId": product_id, "userId": USERS[0]}
        wanted = {**names, **self.body} if self.path.endswith("/buy") else self.body
        if wanted and wanted.get("id") == "new":
            wanted = {**wanted, "id": (new := f"n-{uuid.uuid4().hex[:12]}"), "name": new}
        headers = {"idempotency-key": uuid.uuid4().hex} if self.key else {}
        return await edge.ask(self.method, path, wanted, **headers)


def route(method, path, status, needs, body=None, *, key=False, without_postgresql=0):
    return Route(method, path, frozenset(needs), status, body, key, without_postgresql)


BOTH = {REDIS, POSTGRESQL}
ROUTES = [
    route("GET", "/health", 200, {REDIS, POSTGRESQL, SQS}),
    route("HEAD", "/health", 200, {REDIS, POSTGRESQL, SQS}),
    route("GET", "/api/products", 200, BOTH),
    route("GET", "/api/products/{product}", 200, BOTH),
    route("POST", "/api/v1/buy", 201, BOTH, {}),
    route("POST", "/api/v2/buy", 201, BOTH, {}),
    route("POST", "/api/v3/buy", 201, BOTH, {}),
    route("POST", "/api/v4/buy", 202, {REDIS, SQS}, {}),
    route("POST", "/api/v5/buy", 202, {REDIS}, {}),
    route("POST", "/api/v5/buy", 202, {REDIS}, {}, key=True),
    route("GET", "/api/orders/0d7d0a2d-9a2d-4a1f-8d66-1b2c3d4e5f60", 404, {POSTGRESQL}),
    route("GET", "/api/v5/orders/{order}", 404, BOTH),
    route("POST", "/api/v5/orders/{order}/cancel", 404, BOTH),
    route("POST", "/api/v5/orders/{order}/payment", 404, BOTH),
    route("GET", "/api/v5/products/{product}/stock", 200, {REDIS}),
    route(
        "POST", "/api/admin/products", 201, {POSTGRESQL},
        {"id": "new", "name": "new", "price": "1.00", "stock": 1},
    ),
    route("POST", "/api/admin/products/{product}/open", 200, BOTH, {}),
    route(
        "POST", "/api/admin/products/{product}/pause", 200, {REDIS}, without_postgresql=202,
    ),
    route("POST", "/api/admin/products/{product}/restock", 200, BOTH, {"units": 1}, key=True),
    route("POST", "/api/admin/orders/{order}/cancel", 404, BOTH, {"reason": "why"}),
    route("GET", "/api/admin/products/{product}/books", 200, BOTH),
    route("GET", "/api/admin/books", 200, BOTH),
    route("GET", "/api/admin/audit", 200, {POSTGRESQL}),
    route("GET", "/api/admin/payments", 200, {POSTGRESQL}),
    route("POST", "/api/admin/payments/pi-1/refunded", 404, {POSTGRESQL}),
]  # fmt: skip


def needing(store):
    return [one for one in ROUTES if store in one.needs]


def not_needing(store):
    return [one for one in ROUTES if store not in one.needs]


def named(route):
    return f"{route.name}{' with key' if route.key else ''}"


def assert_unavailable(answer, route):
    """Check for a 503 in the format of its route, with Retry-After."""
    assert answer.status == 503, (answer.status, answer.text)
    assert not answer.text or "Traceback" not in answer.text
    assert answer.headers["retry-after"] == "1"
    if route.path.startswith(("/api/v5", "/api/admin")):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json["code"] == "unavailable"
    elif route.method != "HEAD":
        keys = {"status", "services"} if route.path == "/health" else {"error", "message"}
        assert set(answer.json) == keys
