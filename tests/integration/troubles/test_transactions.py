"""Transactions of PostgreSQL on a server that goes silent, and behind a locked row."""

import asyncio
import time
from dataclasses import replace

import pytest

from flashsale.domain.messages import QueuedOrder
from flashsale.errors import DatabaseUnavailable
from flashsale.services import Services
from tests.helpers.support import USERS, until
from tests.integration.troubles.servers import frozen

pytestmark = pytest.mark.deadline


@pytest.mark.parametrize("ending", ["statement", "commit", "rollback"])
async def test_a_server_that_goes_silent_in_a_transaction_is_abandoned(shop, ports, ending):
    async def transact():
        async with shop.database.transaction() as connection:
            await connection.execute("SELECT 1")
            with frozen(ports["postgresql"]):
                waiting = {
                    "statement": lambda: connection.execute("SELECT 2"),
                    "commit": connection.commit,
                    "rollback": connection.rollback,
                }
                await waiting[ending]()

    await shop.database.ping()
    started = time.monotonic()

    with pytest.raises(DatabaseUnavailable, match="no answer within"):
        await transact()

    assert time.monotonic() - started < 5.0
    await until(lambda: _answers(shop), 5)


async def _answers(shop):
    try:
        await shop.database.ping()
    except DatabaseUnavailable:
        return False
    return True


async def test_a_process_that_was_suspended_does_not_blame_the_server(shop, sqs):
    async with shop.database.transaction() as connection:
        statement = asyncio.create_task(connection.execute("SELECT pg_sleep(0.1)"))
        await asyncio.sleep(0.05)
        time.sleep(connection.silence + 0.5)  # noqa: ASYNC251 - that is the point
        await statement


async def test_a_long_transaction_is_allowed(shop, services):
    """The limit applies to one unanswered statement, not to a transaction."""
    async with shop.database.transaction() as connection:
        for _ in range(3):  # longer than the limit in all
            await connection.execute("SELECT pg_sleep(0.8)")
    async with shop.database.transaction(silence=10) as connection:
        await connection.execute("SELECT pg_sleep(2.5)")
    # If the request to cancel it is late, the client hangs up.
    with pytest.raises(DatabaseUnavailable, match=r"canceling statement|no answer within"):
        async with shop.database.transaction() as connection:
            await connection.execute("SELECT pg_sleep(8)")


def _order(product_id, number):
    id_ = f"{product_id}-{number}"
    return QueuedOrder(id=id_, product_id=product_id, user_id=USERS[number], generation=2)


async def test_a_line_before_a_locked_row_is_left_in_time_on_the_server_too(
    troubled, services, new_product
):
    """V2 answers 503 while its row is locked. It writes nothing and leaves no waiting backend."""
    product_id = await new_product(5)
    line = Services(replace(troubled, database_pool_size=4))
    async with services.database.transaction(silence=60) as holder:
        await holder.execute("SELECT 1 FROM products WHERE id = %s FOR UPDATE", [product_id])
        buyers = [line.orders.take_units_and_insert(_order(product_id, n)) for n in range(8)]
        started = time.monotonic()
        outcomes = await asyncio.gather(*buyers, return_exceptions=True)
        took = time.monotonic() - started

        async def nobody_waits():  # a backend ends a moment after its client
            cursor = await holder.execute(
                "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            )
            return not await cursor.fetchall()

        await until(nobody_waits)

    assert {type(outcome) for outcome in outcomes} == {DatabaseUnavailable}
    assert took < 6.0  # a place in the pool, and then the row
    assert (await services.products.get(product_id)).stock == 5
    assert await line.orders.take_units_and_insert(_order(product_id, 99))
    await line.close()
