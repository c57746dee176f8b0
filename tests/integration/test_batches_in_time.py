"""The queue functions and the sweep answer in time on slow or silent connections.

The handlers run as Lambda runs them, on real stores behind proxies that delay bytes. Only SQS is a
list, which counts its calls.
"""

import asyncio
import json
import time
import uuid
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from flashsale.domain.messages import orders_of_message
from flashsale.redis_store.scripts import Keys
from flashsale.runtime import process
from flashsale_local.sale.seed import seed
from functions.order.app import handler as order
from functions.rollback.app import handler as rollback
from functions.sweep import app as sweeper
from tests.helpers.proxy import Proxy
from tests.helpers.support import USERS, LambdaContext, eventually
from tests.integration.lambda_process import CLAIMS, MESSAGES, Shop, buyers, receive, receives

pytestmark = pytest.mark.deadline


@pytest.fixture
def shop(stack, migrated, monkeypatch):
    """Put proxies before the stores, and return this process as a Lambda function."""
    wires = {}
    for name in ("redis_url", "database_url"):
        url = getattr(migrated, name)
        port = urlsplit(url).port
        wires[name] = Proxy(port)
        monkeypatch.setenv(name.upper(), url.replace(f":{port}", f":{wires[name].port}"))
    monkeypatch.setenv("ORDERS_QUEUE_URL", migrated.orders_queue_url)
    process.services.cache_clear()
    yield Shop(*wires.values())
    for wire in wires.values():
        wire.delay = 0
        wire.flows.set()
    process.run(lambda services: services.close())
    process.services.cache_clear()
    for wire in wires.values():
        wire.close()


@pytest.mark.parametrize(
    ("delay", "seconds", "most"), [(0.0014, 5, 1), (0.1, 5, 4)], ids=["near", "far"]
)
@pytest.mark.alone
class TestASlowWire:
    def test_rollback(self, shop, delay, seconds, most):
        product_id = shop.product(MESSAGES * CLAIMS)
        messages = shop.claim(product_id, buyers(MESSAGES * CLAIMS))
        shop.slow_down(delay)

        left = receives(rollback, messages, seconds)

        assert len(left) <= most
        books = shop.books(product_id)
        assert (books.cancelled, books.redis_stock, books.unsettled) == (2000, 2000, 0)
        assert books.ledger.released == 2000
        assert books.balanced

    def test_order(self, shop, delay, seconds, most):
        product_id = shop.product(MESSAGES * CLAIMS)
        messages = shop.claim(product_id, buyers(MESSAGES * CLAIMS, strangers_each=20))
        shop.slow_down(delay)

        left = receives(order, messages, seconds)

        assert len(left) <= most
        assert shop.queue.calls <= 2, "ten envelopes hold a hundred unknown buyers"
        apart = [message.body for message in shop.queue.take()]
        assert sum(len(orders_of_message(body)) for body in apart) == 100
        assert receive(order, apart, seconds) == apart, "they fail and are not sent again"
        assert shop.queue.take() == []
        receives(rollback, apart, seconds)
        books = shop.books(product_id)
        assert (books.confirmed, books.cancelled, books.redis_stock) == (1900, 100, 100)
        assert (books.unsettled, books.balanced) == (0, True)

    def test_orders_that_no_longer_fit(self, shop, delay, seconds, most):
        product_id = shop.product(MESSAGES * CLAIMS)
        messages = shop.claim(product_id, buyers(MESSAGES * CLAIMS))
        shop.do(lambda services: take_away(services, product_id))
        shop.slow_down(delay)

        left = receives(order, messages, seconds)

        assert len(left) <= most
        books = shop.books(product_id)
        assert (books.cancelled, books.redis_stock, books.unsettled) == (2000, 2000, 0)


async def take_away(services, product_id):
    """Take all units out of the stock of PostgreSQL."""
    async with services.database.transaction() as connection:
        await connection.execute("UPDATE products SET stock = 0 WHERE id = %s", [product_id])


def test_a_batch_of_unknown_buyers_needs_no_call_to_sqs(shop):
    product_id = shop.product(MESSAGES * CLAIMS)
    messages = shop.claim(product_id, [f"stranger-{n}" for n in range(MESSAGES * CLAIMS)])

    for _ in range(3):
        assert receive(order, messages, 10) == messages

    assert shop.queue.calls == 0
    receives(rollback, messages, 10)
    books = shop.books(product_id)
    assert (books.cancelled, books.redis_stock, books.balanced) == (2000, 2000, True)


def test_an_envelope_of_unknown_buyers_only_shrinks(shop):
    product_id = shop.product(5)
    names = [f"late-{uuid.uuid4().hex[:8]}" for _ in range(4)]
    bodies = shop.claim(product_id, [USERS[0], *names])

    for known in names:
        assert receive(order, bodies, 10) == []
        (bodies, size) = [m.body for m in shop.queue.take()], len(bodies)
        assert len(bodies) == size == 1
        shop.do(lambda services, known=known: seed(services, [known], [], 0))

    assert receive(order, bodies, 10) == []
    assert shop.queue.take() == []
    assert shop.books(product_id).confirmed == 5


class TestASilentStore:
    @pytest.mark.parametrize("handler", [order, rollback], ids=["order", "rollback"])
    @pytest.mark.parametrize("store", ["redis", "postgres"])
    def test_all_messages_are_retried_and_processed_when_it_is_back(self, shop, handler, store):
        product_id = shop.product(400)
        messages = shop.claim(product_id, buyers(400))
        wire = getattr(shop, store)
        wire.flows.clear()

        assert receive(handler, messages, 5) == messages
        assert receive(handler, messages, 5) == messages

        wire.flows.set()
        eventually(lambda: receive(handler, messages, 5) == [])
        books = shop.books(product_id)
        assert books.confirmed == (400 if handler is order else 0)
        assert (books.unsettled, books.balanced) == (0, True)

    def test_the_sweep_still_reports_that_postgresql_is_down(self, shop, capsys):
        shop.do(lambda services: services.database.ping())  # opens a connection
        shop.postgres.flows.clear()
        context = LambdaContext(10)

        sweeper.handler({}, context)

        assert context.get_remaining_time_in_millis() > 0
        measured = measurements(capsys)
        assert (measured["RedisUp"], measured["PostgreSQLUp"]) == ([1], [0])


def measurements(capsys):
    """Return the figures in the EMF lines that the function printed."""
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    return {name: value for line in lines for name, value in json.loads(line).items()}


def test_a_sweep_that_has_no_time_left_goes_on_in_the_next_minute(shop, monkeypatch, capsys):
    monkeypatch.setattr(sweeper, "MEASURING", 1.5, raising=False)
    monkeypatch.setattr(sweeper, "LONGEST_STEP", 1.0, raising=False)
    # More products than one sweep has time for. A sweep takes them in random order, so with many
    # more of them some would stay out for long. No claim is overdue twice in this test.
    sales = {shop.product(5) for _ in range(6)}
    for product_id in sales:
        shop.claim(product_id, USERS[:2])
    monkeypatch.setattr(
        process.services().stock, "list_sales", lambda: asyncio.sleep(0, sorted(sales))
    )
    settings = replace(process.services().settings, sweep_after=60)
    monkeypatch.setattr(process.services(), "settings", settings)
    shop.do(lambda services: grow_old(services, sales, seconds=90))
    shop.slow_down(0.06)
    began, rounds = time.monotonic(), []

    while left := sales - {product_of(message) for message in shop.queue.messages}:
        assert time.monotonic() - began < 150, f"never reached: {left}"
        context = LambdaContext(5)
        rounds.append(sweeper.handler({}, context)["swept"])
        assert context.get_remaining_time_in_millis() > 0, "Lambda would have stopped it"
        assert measurements(capsys)["PostgreSQLUp"] == [1]

    assert len(rounds) > 1, "one sweep was enough, so the test is too easy"
    bodies = [message.body for message in shop.queue.messages]
    sent = [order.id for body in bodies for order in orders_of_message(body)]
    assert len(sent) == len(set(sent)) == 2 * len(sales), "no claim was sent twice"


async def grow_old(services, product_ids, seconds):
    """Make the claims of these products look as if they had been sent long ago."""
    for product_id in product_ids:
        ledger = Keys(product_id).ledger
        ids = [entry for entry, _ in await services.redis.xrange(ledger)]
        await services.redis.xclaim(
            ledger, "relay", "relay", 0, ids, idle=seconds * 1000, justid=True
        )


def product_of(message):
    return orders_of_message(message.body)[0].product_id
