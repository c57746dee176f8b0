"""The exporter on a real Valkey and PostgreSQL, and during their outages."""

import asyncio
import math
from dataclasses import replace
from urllib.request import urlopen

import pytest
from prometheus_client import CollectorRegistry, start_http_server

from flashsale.domain.claims import Claim
from flashsale.usecases.place_orders import place_orders
from flashsale.usecases.relay import LEASE_MS, TOKEN
from flashsale_local.stack.program import free_port
from flashsale_server.exporter.exporter import Exporter, sources_of
from flashsale_server.exporter.settings import ExporterSettings
from tests.helpers.queued import queued
from tests.helpers.support import USERS, by_labels
from tests.helpers.unread_messages import Messages


@pytest.fixture
def watched(migrated):
    closed = "http://127.0.0.1:1"
    application = replace(
        migrated,
        orders_queue_url=f"{closed}/1/orders",
        dead_letter_queue_url=f"{closed}/1/orders-dlq",
        parking_queue_url=f"{closed}/1/orders-parking",
    )
    return ExporterSettings(application, endpoint_url=closed)


@pytest.fixture
def scrape(watched, monkeypatch):
    """Returns the values of a scrape by name and labels, of one product or of everything.

    No emulator runs, and AWS itself must not be asked.
    """
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")

    async def run(services, product_id=None, queues=None):
        sources = sources_of(watched, services, queues)
        families = await Exporter(sources, asyncio.get_running_loop()).scrape()
        return by_labels(families, product_id)

    return run


async def test_a_claim_counts_as_unsettled(services, new_product, scrape):
    product_id = await new_product(5)
    await services.ledger.claim(Claim(product_id, USERS[0], 2), TOKEN, LEASE_MS)

    seen = await scrape(services, product_id)

    assert seen["stock_units", product_id, "redis"] == 3
    assert seen["stock_units", product_id, "postgresql"] == 5
    assert seen["unsettled_units", product_id] == 2
    assert seen["oldest_claim_age_seconds", product_id] >= 0
    assert seen["confirmed_units", product_id] == 0
    assert seen["books_broken", product_id] == 0


async def test_units_in_no_place_break_the_books(services, new_product, scrape):
    product_id = await new_product(5, in_redis=3)

    seen = await scrape(services, product_id, Messages(0))

    assert seen["lost_units", product_id] == seen["imbalance_units", product_id] == 2
    assert seen["books_broken", product_id] == 1


@pytest.mark.parametrize("waiting", [2, None], ids=["in a queue", "SQS does not answer"])
async def test_units_that_may_be_in_a_queue_do_not_break_the_books(
    services, new_product, scrape, waiting
):
    product_id = await new_product(5, in_redis=3)

    seen = await scrape(services, product_id, Messages(waiting))

    assert seen["unsettled_units", product_id] == 2
    assert (seen["lost_units", product_id], seen["books_broken", product_id]) == (0, 0)


async def test_the_generation_is_shown_from_the_first_order_on(services, claimed, scrape):
    product_id = await claimed(1)
    assert ("product_info", product_id, "4") not in await scrape(services, product_id)

    await place_orders(services, queued(product_id))

    seen = await scrape(services, product_id)
    assert seen["product_info", product_id, "4"] == 1
    assert seen["confirmed_units", product_id] == 1


async def test_other_metrics_are_shown_without_postgresql(without, services, new_product, scrape):
    product_id = await new_product(5)
    await services.ledger.claim(Claim(product_id, USERS[0], 2), TOKEN, LEASE_MS)

    seen = await scrape(without("database_url"))

    assert (seen["up", "postgresql"], seen["up", "redis"]) == (0, 1)
    assert (seen["up", "books"], seen["up", "claims"]) == (0, 1)
    assert seen["stock_units", product_id, "redis"] == 3
    assert seen["unsettled_units", product_id] == 2
    assert ("confirmed_units", product_id) not in seen


async def test_metrics_that_need_postgresql_are_absent_without_it(without, new_product, scrape):
    product_id = await new_product(5, in_redis=3)  # V4's claims are not in the ledger

    seen = await scrape(without("database_url"), product_id)

    assert seen["stock_units", product_id, "redis"] == 3
    assert ("unsettled_units", product_id) not in seen


async def test_claims_are_current_between_reads_of_the_books(services, new_product, watched):
    product_id = await new_product(5)
    sources = sources_of(watched, services, Messages(0))
    asked = {name: sources[name] for name in sources if name in ("claims", "books")}
    exporter = Exporter(asked, asyncio.get_running_loop())
    await exporter.scrape()
    sources["books"].__self__._backoff._until = math.inf  # as if the query had taken seconds
    await services.ledger.claim(Claim(product_id, USERS[0], 2), TOKEN, LEASE_MS)

    seen = by_labels(await exporter.scrape(), product_id)

    assert seen["stock_units", product_id, "redis"] == 3
    assert seen["stock_units", product_id, "postgresql"] == 5
    assert seen["unsettled_units", product_id] == 2


async def test_other_metrics_are_shown_without_redis(without, scrape):
    seen = await scrape(without("redis_url"))

    assert (seen["up", "redis"], seen["up", "claims"], seen["up", "postgresql"]) == (0, 0, 1)
    assert seen["postgres_max_connections",] == 200


async def test_the_stores_are_shown_without_sqs(services, scrape):
    seen = await scrape(services)  # port 1 is closed

    assert (seen["up", "sqs"], seen["up", "logs"]) == (0, 0)
    assert (seen["up", "redis"], seen["up", "postgresql"], seen["up", "books"]) == (1, 1, 1)


async def test_a_long_running_statement_is_shown(services, scrape):
    async with services.database.transaction() as connection:
        await connection.execute("SELECT 1")

        first = await scrape(services)
        again = await scrape(services)

    name = ("postgres_longest_statement_seconds",)
    assert 0 < first[name] < again[name]


async def test_missing_rights_on_statements_do_not_show_postgresql_as_down(services, scrape):
    async with services.database.transaction() as connection:
        await connection.execute("CREATE VIEW pg_stat_statements AS SELECT 1 AS of_another_kind")
    try:
        seen = await scrape(services)
    finally:
        async with services.database.transaction() as connection:
            await connection.execute("DROP VIEW pg_stat_statements")

    assert seen["up", "postgresql"] == 1
    assert seen["postgres_max_connections",] == 200


async def test_disabled_durability_is_shown(services, scrape):
    seen = await scrape(services)
    assert seen["redis_aof_enabled",] == seen["redis_aof_healthy",] == 1
    await services.redis.config_set("appendonly", "no")
    try:
        seen = await scrape(services)
        assert seen["redis_aof_enabled",] == seen["redis_aof_healthy",] == 0
    finally:
        await services.redis.config_set("appendonly", "yes")


async def test_metrics_are_served_in_prometheus_text_format(services, watched):
    registry, port = CollectorRegistry(), free_port()
    sources = {"redis": sources_of(watched, services)["redis"]}
    registry.register(Exporter(sources, asyncio.get_running_loop()))
    server, thread = start_http_server(port, "127.0.0.1", registry)

    def get():
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
            return answer.read().decode()

    assert 'flashsale_up{service="redis"} 1.0' in await asyncio.to_thread(get)
    await asyncio.to_thread(server.shutdown)
    server.server_close()
    thread.join()
