"""Each function has exactly the rights that its code uses.

The handlers run in this process on real stores and with moto's SQS. Events of botocore record the
calls to AWS. Each exercise runs twice, the second time with an SQS that rejects all calls.
"""

import json
from decimal import Decimal
from uuid import uuid4

import pytest
from moto import mock_aws
from redis import Redis

from flashsale.domain.claims import Claim
from flashsale.domain.messages import Envelope, QueuedOrder
from flashsale.domain.payment_messages import QueuedPayment
from flashsale.domain.payments import Payment
from flashsale.http.application import create_admin_app, create_app
from flashsale.redis_store.relay_inbox import ALIVE
from flashsale.runtime import process
from flashsale_local.deployment import sign_in
from flashsale_local.paths import ROOT
from flashsale_local.sale.seed import seed
from functions.webhook import app as webhook_app
from tests.helpers import iam
from tests.helpers.call_recorder import SECRET, Recorder
from tests.helpers.support import USERS
from tests.helpers.webhooks import SECRET as WEBHOOK_SECRET
from tests.helpers.webhooks import lambda_event, paid_event, signed

PRODUCT = "p-least"
# Rights that our code uses without a visible call.
UNSEEN = {
    "rds-db:connect": "botocore signs the token without a call, and RDS Proxy asks IAM",
    "kms:Decrypt": "SQS calls KMS for the caller, and the policy allows it via SQS only",
    "kms:GenerateDataKey": "the same",
}


@pytest.fixture
def recorder(migrated, monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL")  # moto stands in for AWS
    monkeypatch.setenv("WEBHOOK_SECRETS", WEBHOOK_SECRET)
    with mock_aws(), Redis.from_url(migrated.redis_url) as redis:
        redis.delete(ALIVE)  # else a claimer would hand over to the relay process of another test

        def make(folder):
            return Recorder(folder, migrated, monkeypatch)

        yield make
        process.services.cache_clear()


async def stocked(services):
    products = [PRODUCT, *(f"{PRODUCT}-v{n}" for n in range(1, 6))]
    await seed(services, USERS, products, 1000)
    for product_id in products:
        await services.stock.open_sale(product_id, 1000)


async def claimed(services, user_id):
    claim = Claim(product_id=PRODUCT, user_id=user_id, quantity=1)
    taken = await services.ledger.claim(claim, lease_token="nobody", lease_ms=1)
    return QueuedOrder.of_claim(PRODUCT, taken.order_id.rpartition(":")[2], user_id, 1, "")


def batch(*bodies):
    records = enumerate(bodies)
    return {"Records": [{"messageId": f"m-{n}", "body": body} for n, body in records]}


def request(method, path, body=None):
    event = json.loads((ROOT / "events" / "buy-v5.json").read_text())
    http = event["requestContext"]["http"] | {"method": method, "path": path}
    event["requestContext"]["http"] = http
    event["headers"].pop("idempotency-key")
    return event | {"rawPath": path, "body": json.dumps(body) if body else ""}


REQUESTS = {
    **{
        ("POST", f"/api/v{n}/buy"): (
            f"/api/v{n}/buy",
            {"productId": f"{PRODUCT}-v{n}", "userId": USERS[0]},
        )
        for n in range(1, 6)
    },
    ("GET", "/api/products"): ("/api/products", None),
    ("GET", "/api/products/{product_id}"): (f"/api/products/{PRODUCT}", None),
    ("GET", "/api/orders/{order_id}"): (f"/api/orders/{uuid4()}", None),
    ("GET", "/api/v5/orders/{order_id}"): (f"/api/v5/orders/{PRODUCT}:1-0", None),
    ("POST", "/api/v5/orders/{order_id}/cancel"): (f"/api/v5/orders/{PRODUCT}:1-0/cancel", None),
    ("POST", "/api/v5/orders/{order_id}/payment"): (f"/api/v5/orders/{PRODUCT}:1-0/payment", None),
    ("GET", "/api/v5/products/{product_id}/stock"): (f"/api/v5/products/{PRODUCT}/stock", None),
    **{
        (method, f"/api/v5/rooms/{{product_id}}{rest}"): (f"/api/v5/rooms/{PRODUCT}{rest}", body)
        for method, rest, body in (
            ("GET", "", None),
            ("POST", "/tickets", {"userId": USERS[0]}),
            ("POST", "/admission", None),
            ("DELETE", "/tickets/mine", None),
        )
    },
    ("GET", "/health"): ("/health", None),
}


LAMP = "p-least-admin"  # for the sale that ends
SALE = f"/api/admin/products/{LAMP}"
ADMIN_REQUESTS = {
    ("POST", "/api/admin/products"): (
        "/api/admin/products",
        {"id": LAMP, "name": LAMP, "price": 1, "stock": 1},
    ),
    **{
        ("POST", f"/api/admin/products/{{product_id}}/{action}"): (f"{SALE}/{action}", body)
        for action, body in {
            "open": {}, "pause": None, "resume": None, "restock": {"units": 1}, "end": None
        }.items()
    },
    **{
        ("POST", f"/api/admin/products/{{product_id}}/room/{action}"): (
            f"{SALE}/room/{action}", body
        )
        for action, body in {"pause": None, "resume": None, "rate": {"maxRate": 60}}.items()
    },
    ("POST", "/api/admin/orders/{order_id}/cancel"): (
        f"/api/admin/orders/{LAMP}:1-0/cancel",
        {"reason": "none"},
    ),
    ("GET", "/api/admin/products/{product_id}/books"): (f"{SALE}/books", None),
    ("GET", "/api/admin/books"): ("/api/admin/books", None),
    ("GET", "/api/admin/audit"): ("/api/admin/audit", None),
    ("GET", "/api/admin/payments"): ("/api/admin/payments", None),
    ("POST", "/api/admin/payments/{payment_id}/refunded"): (
        "/api/admin/payments/pi-1/refunded",
        None,
    ),
}  # fmt: skip


def admin(recorder):
    token = sign_in.mint(SECRET, "boss", admin=True, minutes=5)
    for (method, _), (path, body) in ADMIN_REQUESTS.items():
        event = request(method, path, body)
        event["headers"] |= {"authorization": f"Bearer {token}", "idempotency-key": path}
        answer = recorder.handle(event)
        assert answer["statusCode"] in {200, 201, 404, 409, 503}, (path, answer)


def buy(recorder):
    for (method, _), (path, body) in REQUESTS.items():
        answer = recorder.handle(request(method, path, body))
        assert answer["statusCode"] in {200, 201, 202, 404, 503}, (path, answer)


def order(recorder):
    good = recorder.run(lambda services: claimed(services, USERS[0]))
    bad = recorder.run(lambda services: claimed(services, "nobody"))
    alone = QueuedOrder(id="least-v4", product_id=PRODUCT, user_id=USERS[0], generation=4)

    recorder.handle(batch(Envelope.of([good, bad]).model_dump_json()))
    recorder.handle(batch(alone.model_dump_json(), "poison"))


def rollback(recorder):
    orders = [recorder.run(lambda services: claimed(services, USERS[0])) for _ in range(2)]
    alone = QueuedOrder(id="least-v4", product_id=PRODUCT, user_id=USERS[0], generation=4)

    recorder.handle(batch(Envelope.of(orders).model_dump_json(), alone.model_dump_json(), "poison"))


def payment(recorder):
    paid = Payment("pi_1", f"{PRODUCT}:1-0", Decimal("7.50"), "EUR")

    recorder.handle(batch(QueuedPayment.of(paid).model_dump_json(), "poison"))


def webhook(recorder):
    webhook_app.webhook.cache_clear()
    body = paid_event(f"{PRODUCT}:1-0")
    for headers, statuses in (({}, {401}), (signed(body), {200, 503})):
        assert recorder.handle(lambda_event(body, headers))["statusCode"] in statuses


async def held_too_long(services):
    order = await claimed(services, USERS[0])
    await services.orders.write_batch([order])
    async with services.database.transaction() as connection:
        await connection.execute(
            "UPDATE orders SET expires_at = now() - interval '2 minutes' WHERE id = %s", [order.id]
        )


async def set_hold(services):
    async with services.database.transaction() as connection:
        await connection.execute("UPDATE products SET hold_seconds = 60 WHERE id = %s", [PRODUCT])


def sweep(recorder):
    recorder.run(set_hold)
    recorder.run(held_too_long)  # so it looks whether payments are in the queue
    recorder.run(lambda services: claimed(services, USERS[0]))

    recorder.handle({})


def migrate_(recorder):
    recorder.handle({})


EXERCISES = {
    "admin": admin, "buy": buy, "order": order, "rollback": rollback,
    "webhook": webhook, "payment": payment, "sweep": sweep, "migrate": migrate_,
}  # fmt: skip


@pytest.mark.parametrize("folder", iam.functions())
def test_the_rights_of_a_function_equal_its_calls(recorder, folder):
    if folder not in EXERCISES:
        pytest.fail(f"write an exercise for functions/{folder}: each path of it that calls AWS")
    function = recorder(folder)
    function.run(stocked)

    EXERCISES[folder](function)
    function.refuse()
    EXERCISES[folder](function)

    logical_id = iam.functions()[folder]
    granted, by_lambda = iam.granted(logical_id), iam.used_by_lambda(logical_id)
    granted = {grant for grant in granted if grant[0] not in UNSEEN}
    assert function.calls <= granted, "called and not allowed"
    assert by_lambda <= granted, "Lambda needs these to poll and to keep failed invocations"
    assert granted <= function.calls | by_lambda, "allowed and never called"


def test_every_route_is_exercised():
    for application, exercised in ((create_app(), REQUESTS), (create_admin_app(), ADMIN_REQUESTS)):
        paths = application.openapi()["paths"].items()
        routes = {(method.upper(), path) for path, methods in paths for method in methods}

        assert routes == set(exercised), "add what is new"
