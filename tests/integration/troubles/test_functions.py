"""The queue functions, health and the leader, while a store is silent or rejects calls."""

import asyncio
import time

import pytest

from flashsale.domain.claims import Claim
from flashsale.domain.model import OrderStatus
from flashsale.redis_store.failures import Failure
from flashsale.redis_store.scripts import Keys
from flashsale.usecases.compensate import compensate
from flashsale.usecases.health import read_health
from flashsale.usecases.place_orders import place_orders
from flashsale.usecases.relay import LAMBDA_PACE, LEASE_MS, TOKEN, lead
from flashsale_server.exporter.exporter import Exporter
from flashsale_server.exporter.stores import read_postgres, read_redis
from tests.helpers.admin_desk import message_of
from tests.helpers.support import USERS, by_labels
from tests.integration.troubles.refusals import REDIS_REFUSALS, read_only_postgresql
from tests.integration.troubles.servers import frozen

pytestmark = pytest.mark.deadline

# Seconds for each function, which must report failures before its own timeout (10 s).
REPORTED = 8.0
# Closing a claim frees memory, so Redis allows it.
HARMLESS = {"OOM"}


@pytest.fixture
async def claimed(shop, services, new_product):
    """Return three relayed claims of V5 and their product."""
    product_id = await new_product(10, on_sale=False)
    await shop.stock.open_sale(product_id, 10)
    for user in USERS[:3]:
        await shop.ledger.claim(Claim(product_id, user, 1), TOKEN, LEASE_MS)
    return product_id, await shop.ledger.take_unsent(product_id, 10)


def ids_of(outcome):
    return [failure.message_id for failure in outcome.failures]


@pytest.mark.parametrize("code", REDIS_REFUSALS)
async def test_a_redis_that_rejects_calls_after_the_commit_fails_the_message(
    shop, services, claimed, redis, code
):
    """The orders stay CONFIRMED, and the retried message settles their claims."""
    product_id, orders = claimed
    await shop.database.ping()
    with REDIS_REFUSALS[code](redis):
        outcome = await place_orders(shop, [message_of(*orders)])

    assert ids_of(outcome) == ([] if code in HARMLESS else ["m"])
    for order in orders:
        assert (await services.orders.get(order.id)).status is OrderStatus.CONFIRMED
    again = await place_orders(shop, [message_of(*orders)])
    assert (again.failures, len(again.confirmed)) == ([], 3)
    snapshot = await shop.ledger.snapshot(product_id, count_claims=True)
    assert (snapshot.unsettled, snapshot.settled, snapshot.stock) == (0, 3, 7)


@pytest.mark.parametrize("code", REDIS_REFUSALS)
async def test_a_redis_that_rejects_a_release_fails_the_message(
    shop, services, claimed, redis, code
):
    product_id, orders = claimed
    with REDIS_REFUSALS[code](redis):
        outcome = await compensate(shop, [message_of(*orders)])

    assert ids_of(outcome) == ([] if code in HARMLESS else ["m"])
    again = await compensate(shop, [message_of(*orders)])
    assert (again.failures, outcome.released + again.released) == ([], 3)
    snapshot = await shop.ledger.snapshot(product_id, count_claims=True)
    assert (snapshot.unsettled, snapshot.stock) == (0, 10)


async def test_a_bug_after_the_commit_fails_the_message(shop, claimed, redis, caplog):
    product_id, orders = claimed
    ledger = Keys(product_id).ledger
    kept = redis.dump(ledger)
    redis.set(ledger, "no stream")

    placed = await place_orders(shop, [message_of(*orders)])
    cancelled = await compensate(shop, [message_of(*orders)])

    assert (ids_of(placed), ids_of(cancelled)) == (["m"], ["m"])
    assert "must follow a commit" in caplog.text
    redis.restore(ledger, 0, kept, replace=True)


@pytest.mark.parametrize("store", ["redis", "postgresql"])
@pytest.mark.parametrize("use_case", [place_orders, compensate])
async def test_a_silent_store_fails_the_message_within_the_functions_timeout(
    shop, services, claimed, ports, store, use_case
):
    _, orders = claimed
    await shop.database.ping()
    started = time.monotonic()
    with frozen(ports[store]):
        outcome = await use_case(shop, [message_of(orders[0])])
    took = time.monotonic() - started

    assert ids_of(outcome) == ["m"]
    assert took < REPORTED
    again = await use_case(shop, [message_of(orders[0])])
    assert again.failures == []
    assert len([*again.confirmed, *again.cancelled]) == 1


@pytest.mark.parametrize("use_case", [place_orders, compensate])
async def test_a_read_only_postgresql_fails_the_message(
    shop, services, claimed, troubled, use_case
):
    product_id, orders = claimed
    with read_only_postgresql(troubled.database_url):
        outcome = await use_case(shop, [message_of(*orders)])
        snapshot = await shop.ledger.snapshot(product_id, count_claims=True)

    assert ids_of(outcome) == ["m"]
    assert (snapshot.unsettled, snapshot.stock) == (3, 7)
    assert (await use_case(shop, [message_of(*orders)])).failures == []


@pytest.mark.parametrize("code", REDIS_REFUSALS)
async def test_recording_a_cause_never_fails_the_function(shop, redis, code):
    with REDIS_REFUSALS[code](redis):
        await shop.failures.remember([Failure("m-1", "why")])
        await shop.failures.causes(["m-1"])


@pytest.mark.parametrize("code", REDIS_REFUSALS)
async def test_a_leader_raises_nothing(shop, claimed, redis, code):
    product_id, _ = claimed
    with REDIS_REFUSALS[code](redis):
        await lead(shop, product_id, LAMBDA_PACE)


async def test_a_leader_logs_unexpected_errors_and_raises_nothing(shop, claimed, redis, caplog):
    product_id, _ = claimed
    lease = Keys(product_id).lease
    redis.delete(lease)
    redis.rpush(lease, "no string")
    redis.delete("relay:alive")

    await lead(shop, product_id, LAMBDA_PACE)

    (record,) = [one for one in caplog.records if "stopped relaying" in one.message]
    assert record.exc_info
    redis.delete(lease)


@pytest.mark.parametrize("store", ["redis", "postgresql"])
async def test_health_reports_a_silent_store_in_time(shop, services, claimed, ports, store):
    for adapter in (shop.database, shop.order_queue):  # what they import takes time, too
        await adapter.ping()
    started = time.monotonic()
    with frozen(ports[store]):
        report = await read_health(shop)

    assert (report.redis_up, report.postgresql_up, report.sqs_up) == (
        store != "redis",
        store != "postgresql",
        True,
    )
    assert report.books is None
    assert time.monotonic() - started < REPORTED


async def test_health_reports_stores_that_reject_writes(shop, services, redis, troubled):
    with REDIS_REFUSALS["MISCONF"](redis), read_only_postgresql(troubled.database_url):
        report = await read_health(shop)

    assert (report.redis_up, report.postgresql_up) == (False, False)


async def test_the_exporter_reports_the_store_and_keeps_its_other_metrics(
    shop, services, redis, troubled
):
    sources = {"redis": lambda: read_redis(shop), "postgresql": lambda: read_postgres(shop)}
    exporter = Exporter(sources, asyncio.get_running_loop(), shop)
    well = by_labels(await exporter.scrape())
    with REDIS_REFUSALS["OOM"](redis), read_only_postgresql(troubled.database_url):
        seen = by_labels(await exporter.scrape())

    assert (well["up", "redis"], well["up", "postgresql"]) == (1, 1)
    assert (seen["up", "redis"], seen["up", "postgresql"]) == (0, 0)
    assert seen["redis_memory_bytes",]
    assert seen["postgres_max_connections",]
