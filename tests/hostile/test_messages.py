"""Poisoned messages for the order and rollback functions on real stores.

Whatever a message contains, the functions answer and write the valid messages of the batch. The
poisoned message is reported as failed, with its cause. Nothing is written or released for it.
"""

import json
import tracemalloc
import uuid

import pytest
from hypothesis import example, given

from flashsale.domain.messages import CLAIMS_PER_ENVELOPE, orders_of_message
from flashsale.domain.model import V5
from flashsale.errors import InvalidMessage
from flashsale.runtime import process
from functions.order.app import handler as order
from functions.rollback.app import handler as rollback
from tests.helpers.support import USERS, LambdaContext
from tests.hostile.budget import fuzzed
from tests.hostile.poison import HUGE, LARGEST, bodies


@pytest.fixture
def functions(migrated, monkeypatch, queue_url, stack):
    """Load the two functions in this process, with the settings of the tests."""
    monkeypatch.setenv("REDIS_URL", migrated.redis_url)
    monkeypatch.setenv("DATABASE_URL", migrated.database_url)
    monkeypatch.setenv("ORDERS_QUEUE_URL", queue_url)
    monkeypatch.setenv("AWS_ENDPOINT_URL", stack.endpoint_url)
    process.services.cache_clear()
    yield
    process.run(lambda services: services.close())
    process.services.cache_clear()


def invoke(handler, *messages):
    """Return the ids of the messages that must be retried."""
    event = {"Records": [{"messageId": id_, "body": body} for id_, body in messages]}
    answer = handler(event, LambdaContext())
    return [item["itemIdentifier"] for item in answer["batchItemFailures"]]


def orders_of(body):
    try:
        return orders_of_message(body)
    except InvalidMessage:
        return []


# Known cases beside the generated ones. Some of them once broke a whole batch.
KNOWN = [
    {"id": "no-ledger-entry", "generation": V5},
    {"id": "p:1-1", "generation": V5},
    {"id": "a\x00b"},
    {"quantity": 2**31},
    {"quantity": 10**400},
    {"user_id": "nobody"},
    {"product_id": "no-such-product"},
    {"correlation_id": "\ud800"},
]


def valid_messages(product_id):
    one = {
        "id": "00000000-0000-4000-8000-000000000000", "product_id": product_id,
        "user_id": USERS[0], "quantity": 1, "generation": 4, "correlation_id": "c",
    }  # fmt: skip
    many = {"product_id": product_id, "claims": [["1-1", USERS[0], 1, "c"]]}
    return one, many


def check(shop, body):
    good = [shop.order(str(uuid.uuid4())) for _ in range(2)]
    before, stock = shop.rows(), shop.books()["stock"]
    poison = f"m-{uuid.uuid4()}"
    batch = [("first", json.dumps(good[0])), (poison, body), ("last", json.dumps(good[1]))]

    failed = invoke(order, *batch)

    assert failed in ([], [poison])
    written = shop.rows() - before
    assert {(one["id"], "CONFIRMED", 1) for one in good} <= written
    own = {one.id for one in orders_of(body)}
    assert {id_ for id_, _, _ in written} <= own | {one["id"] for one in good}
    if failed:
        assert len(written) == len(good), "nothing is written for a failed message"
        assert shop.redis.get(f"failure:{poison}"), "its cause is kept"
        assert shop.books()["stock"] == stock, "nothing is released"
    if failed and not own:
        everything = shop.books()
        assert invoke(rollback, (poison, body)) == [poison]
        assert shop.books() == everything
        assert shop.redis.get(f"failure:{poison}").startswith("not an order")


@pytest.mark.parametrize("change", KNOWN, ids=lambda change: str(change)[:40])
def test_a_known_poison_fails_alone(functions, shop, change):
    check(shop, json.dumps(shop.order(str(uuid.uuid4())) | change))


# The product id is a placeholder that is replaced below.
@fuzzed(1.5)
@given(body=bodies(*valid_messages("PRODUCT")))
@example(body='{"product_id": "PRODUCT", "claims": [["1-1", "nobody", 1, ""]]}')
def test_any_poison_fails_alone(functions, shop, body):
    check(shop, body.replace("PRODUCT", shop.product_id))


@pytest.mark.parametrize("name", HUGE)
def test_the_largest_message_costs_little_memory(name):
    assert len(HUGE[name]) <= LARGEST
    tracemalloc.start()
    try:
        orders_of(HUGE[name])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 32 * 1024 * 1024, "bytes; a function has 512 MB"


def test_an_envelope_with_too_many_claims_is_rejected():
    """A batch of at most two thousand claims fits into the time of a function."""
    claims = [[f"1-{number}", "nobody", 1, ""] for number in range(CLAIMS_PER_ENVELOPE + 1)]

    with pytest.raises(InvalidMessage, match="claims"):
        orders_of_message(json.dumps({"product_id": "p", "claims": claims}))

    assert len(orders_of(json.dumps({"product_id": "p", "claims": claims[1:]}))) == 200


@pytest.mark.parametrize("name", ["\x1b[31m", "[/b]", "x" * 100_000, "\n"])
def test_a_cause_is_short_and_printable(name):
    """Causes are logged, kept for 14 days, and shown in terminals."""
    with pytest.raises(InvalidMessage) as caught:
        orders_of_message(json.dumps({name: 1, **valid_messages("p")[0]}))

    assert len(str(caught.value)) < 250
    assert str(caught.value).isprintable()
