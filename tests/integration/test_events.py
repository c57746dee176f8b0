"""Each event in `events/` runs through its handler, on real stores."""

import asyncio
import importlib
import json

import pytest
from redis import Redis

from flashsale.redis_store.scripts import Keys, owned
from flashsale.runtime import process
from flashsale.usecases.books import read_books
from flashsale_local.paths import ROOT
from flashsale_local.sale.seed import seed
from tests.helpers.support import LambdaContext

EVENTS = ROOT / "events"
V4_PRODUCT, V5_PRODUCT, BY_HAND = "p-01", "p-03", "by-hand-01"


@pytest.fixture
def handle(migrated, monkeypatch):
    """Return a function that runs a handler with an event and the settings of the tests."""
    monkeypatch.setenv("REDIS_URL", migrated.redis_url)
    monkeypatch.setenv("DATABASE_URL", migrated.database_url)
    monkeypatch.setenv("ORDERS_QUEUE_URL", migrated.orders_queue_url)
    process.services.cache_clear()
    with Redis.from_url(migrated.redis_url) as redis:
        redis.delete(
            Keys(V4_PRODUCT).stock,
            Keys(V5_PRODUCT).stock,
            "idem:" + owned("u-00001", "example"),
            Keys(V5_PRODUCT).idempotency("u-00001", "example"),
        )

    async def prepare(services):
        await seed(services, [], [V4_PRODUCT, V5_PRODUCT, BY_HAND], 10)
        for product_id in (V4_PRODUCT, V5_PRODUCT):
            await services.stock.open_sale(product_id, 10, again=True)

    process.run(prepare)

    def run(function, event):
        handler = importlib.import_module(f"functions.{function}.app").handler
        body = json.loads((EVENTS / f"{event}.json").read_text())
        if function != "buy":
            return handler(body, LambdaContext())
        # Mangum needs its own services on the current event loop. Other tests
        # leave none behind.
        process.services.cache_clear()
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            return handler(body, LambdaContext())
        finally:
            asyncio.set_event_loop(None)
            loop.close()
            process.services.cache_clear()

    yield run
    process.run(lambda services: services.close())
    process.services.cache_clear()


def books(product_id):
    (found,) = process.run(lambda services: read_books(services, [product_id]))
    return found


def test_a_v5_purchase(handle):
    answer = handle("buy", "buy-v5")

    assert answer["statusCode"] == 202, answer
    assert json.loads(answer["body"])["remaining"] == 8


def test_a_v4_purchase_whose_queue_is_down(handle):
    answer = handle("buy", "buy-v4")

    assert answer["statusCode"] == 503, answer
    assert books(V4_PRODUCT).redis_stock == 10, "a certain rejection, so the unit is released"


def test_orders_and_their_rollback(handle):
    before = books(BY_HAND)

    assert handle("order", "order") == {"batchItemFailures": []}
    assert handle("rollback", "rollback") == {"batchItemFailures": []}

    after = books(BY_HAND)
    # Other tests may have written these orders already.
    assert after.confirmed - before.confirmed in (0, 4)
    assert after.confirmed >= 4
    assert after.cancelled == 1
    assert after.balanced, "a product that is not on sale needs no claims"


def test_a_sweep_of_nothing(handle):
    assert handle("sweep", "sweep")["swept"] >= 0


def test_every_event_is_used():
    text = (ROOT / "tests" / "integration" / "test_events.py").read_text()

    for path in EVENTS.iterdir():
        assert f'"{path.stem}"' in text, path
