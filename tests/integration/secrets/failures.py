"""Recognisable secrets, the requests that carry them, and the failures to try."""

import json
import re
from decimal import Decimal
from urllib.parse import urlsplit

from flashsale.domain.messages import QueuedOrder
from flashsale.domain.payment_messages import QueuedPayment
from flashsale_local.deployment import sign_in
from flashsale_local.paths import ROOT
from flashsale_local.stack.program import free_port
from tests.helpers.support import USERS
from tests.helpers.webhooks import lambda_event, paid_event, signed

REDIS_PASSWORD = "s3cretOfRedis"
DATABASE_PASSWORD = "s3cretOfPostgres"
JWT_SECRET = "s3cretOfTokens-s3cretOfTokens-s3cretOfTokens"
KEY = "s3cretIdempotencyKey"
AWS_SECRET = "s3cretOfAws"
WEBHOOK_SECRET = "s3cretOfWebhooks-s3cretOfWebhooks"
PROVIDER_KEY = "s3cretOfTheProvider"
ROOM_SECRET = "s3cretOfRooms-s3cretOfRooms-s3cretOfRooms"
TOKEN = sign_in.mint(JWT_SECRET, USERS[0], admin=True, minutes=60)
FORGED = sign_in.mint(JWT_SECRET + "forged", USERS[0], admin=True, minutes=60)
OPAQUE = "s3cretOpaqueToken"
# Also parts, because claims and signature are enough to restore a token.
SECRETS = ["s3cret", *TOKEN.split(".")[1:], *FORGED.split(".")[1:]]

PRODUCT = "p-secret"
USER = "keeper"


def at(url, **changed):
    """Return the URL with another port or password."""
    parts = urlsplit(url)
    password, port = changed.get("password", parts.password), changed.get("port", parts.port)
    return f"{parts.scheme}://{parts.username}:{password}@{parts.hostname}:{port}{parts.path}"


def failures(env):
    """Return the failures by name, with the changed variables of the environment."""
    redis, database, port = env["REDIS_URL"], env["DATABASE_URL"], free_port()
    return {
        "nothing but SQS": {},
        "tokens are needed": {"AUTH": "jwt"},
        "Redis is down": {"REDIS_URL": at(redis, port=port)},
        "Redis refuses the password": {"REDIS_URL": at(redis, password="s3cretButWrong")},
        "a / in Redis' password": {"REDIS_URL": at(redis, password="s3cret/s3cret")},
        "a cluster that is none": {"REDIS_URL": redis.replace("redis", "redis+cluster", 1)},
        "PostgreSQL is down": {"DATABASE_URL": at(database, port=port)},
        "PostgreSQL refuses the password": {"DATABASE_URL": at(database, password="s3cretNot")},
        "a % in PostgreSQL's password": {"DATABASE_URL": at(database, password="s3cret%zz")},
        "a bug: no such table": {"DATABASE_URL": f"{database}?options=-csearch_path%3Dnowhere"},
        "another scheme": {"DATABASE_URL": database.replace("postgresql", "pg", 1)},
        "a short secret": {"AUTH": "jwt", "JWT_SECRET": "s3cret"},
        "a short secret of rooms": {"ROOM_SECRET": "s3cret"},
        "a secret too many": {"JWT_JWKS_URL": "https://issuer.invalid/keys"},
        "SQS is down": {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "ORDERS_QUEUE_URL": f"http://127.0.0.1:{port}/000000000000/orders",
        },
    }


FAILURES = failures({"REDIS_URL": "redis://u:p@h:1/0", "DATABASE_URL": "postgresql://u:p@h:1/d"})


PURCHASE = {"productId": PRODUCT, "userId": USERS[0]}
# One product is sold by one generation.
OF_OTHERS = {n: {**PURCHASE, "productId": f"{PRODUCT}-v{n}"} for n in range(1, 5)}
NEW_PRODUCT = {"id": f"{PRODUCT}-2", "name": "Lamp of a secret", "price": 1, "stock": 1}
REQUESTS = [
    ("POST", "/api/v1/buy", OF_OTHERS[1], TOKEN, KEY),
    ("POST", "/api/v2/buy", OF_OTHERS[2], TOKEN, KEY),
    ("POST", "/api/v3/buy", OF_OTHERS[3], TOKEN, KEY),
    ("POST", "/api/v4/buy", OF_OTHERS[4], TOKEN, KEY),
    ("POST", "/api/v5/buy", PURCHASE, TOKEN, KEY),
    ("POST", "/api/v5/buy", {**PURCHASE, "quantity": 2}, TOKEN, KEY),  # reuses the key
    ("POST", "/api/v5/buy", PURCHASE, FORGED, KEY),
    ("POST", "/api/v5/buy", {**PURCHASE, "quantity": "many"}, OPAQUE, f"{KEY} with spaces"),
    ("GET", "/api/products", None, TOKEN, KEY),
    ("GET", f"/api/v5/orders/{PRODUCT}:1-0", None, TOKEN, KEY),
    ("POST", f"/api/v5/orders/{PRODUCT}:1-0/cancel", None, TOKEN, KEY),
    ("POST", f"/api/v5/orders/{PRODUCT}:1-0/payment", None, TOKEN, KEY),
    ("GET", f"/api/v5/products/{PRODUCT}/stock", None, TOKEN, KEY),
    ("GET", "/health", None, TOKEN, KEY),
    # Requests of an admin. The audit is left out, because it shows keys on purpose.
    ("POST", "/api/admin/products", PURCHASE, TOKEN, KEY),
    ("POST", "/api/admin/products", NEW_PRODUCT, TOKEN, KEY),
    ("POST", "/api/admin/products", NEW_PRODUCT, FORGED, KEY),
    ("POST", f"/api/admin/products/{PRODUCT}/open", None, TOKEN, f"{KEY}-open"),
    ("POST", f"/api/admin/products/{PRODUCT}/restock", {"units": 1}, TOKEN, f"{KEY}-restock"),
    ("POST", f"/api/admin/products/{PRODUCT}/restock", {"units": 2}, TOKEN, f"{KEY}-restock"),
    ("POST", f"/api/admin/orders/{PRODUCT}:1-0/cancel", {"reason": "late"}, TOKEN, f"{KEY}-cancel"),
    ("GET", f"/api/admin/products/{PRODUCT}/books", None, TOKEN, KEY),
    ("GET", "/api/admin/books", None, OPAQUE, KEY),
    ("GET", "/api/admin/payments", None, TOKEN, KEY),
    ("POST", f"/api/admin/payments/{PRODUCT}/refunded", None, TOKEN, f"{KEY}-refunded"),
]


def headers(token, key):
    json_ = {"content-type": "application/json"}
    return {"authorization": f"Bearer {token}", "idempotency-key": key, **json_}


def webhooks():
    """Yield requests to the webhook: one that the provider sent, a forged one, and nonsense."""
    paid = paid_event(f"{PRODUCT}:1-0")
    yield lambda_event(paid, signed(paid, WEBHOOK_SECRET))
    yield lambda_event(paid, signed(paid, f"{WEBHOOK_SECRET}forged"))
    yield lambda_event(b"{", signed(b"{", WEBHOOK_SECRET))


def events():
    base = json.loads((ROOT / "events" / "buy-v5.json").read_text())
    for method, path, body, token, key in REQUESTS:
        http = base["requestContext"]["http"] | {"method": method, "path": path}
        yield (
            "admin" if path.startswith("/api/admin/") else "buy",
            {
                **base,
                "rawPath": path,
                "headers": {**base["headers"], **headers(token, key)},
                "requestContext": {**base["requestContext"], "http": http},
                "body": json.dumps(body) if body else "",
            },
        )
    for event in webhooks():
        yield "webhook", event
    order = QueuedOrder(id="secret-1", product_id=PRODUCT, user_id="made-by-a-token", generation=4)
    orders = batch(order.model_dump_json(), "poison")
    yield "order", orders
    yield "rollback", orders
    payment = QueuedPayment(
        id="pi_1", order_id=f"{PRODUCT}:1-0", amount=Decimal("7.50"), currency="EUR"
    )
    yield "payment", batch(payment.model_dump_json(), "poison")
    yield "sweep", {}
    yield "migrate", {}


def batch(*bodies):
    return {"Records": [{"messageId": f"m-{n}", "body": body} for n, body in enumerate(bodies)]}


# Internals: classes, stack traces, files, hosts, statements, libraries.
INTERNALS = re.compile(
    r"Traceback|\w(Error|Exception|Unavailable|Rejected)\b|\.py\b|/(srv|var|usr|home|work|opt)/"
    r"|site-packages|127\.0\.0\.1|localhost|\bport \d|\bERRNO\b|Errno|NOAUTH|WRONGPASS|EVALSHA"
    r"|\b(SELECT|INSERT|UPDATE)\b|\brelation \"|constraint"
    r"|psycopg|botocore|hiredis|pydantic|0x[0-9a-f]{6}"
)


def assert_no_secret(text):
    for secret in SECRETS:
        # Not by `.*secret.*`, which takes quadratic time: minutes, for logs with long lines.
        assert secret not in text, next(line for line in text.splitlines() if secret in line)


def assert_no_internals(answer):
    body = answer["body"]
    found = INTERNALS.search(body + json.dumps(answer.get("headers", {})))
    assert not found, f"{found[0]!r} in {body}"
