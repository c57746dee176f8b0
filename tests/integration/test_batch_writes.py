"""A batch of orders in PostgreSQL: its exchanges, its locks, and what ends it."""

import asyncio
import re
import uuid

import pytest

from flashsale.domain.messages import QueuedOrder
from flashsale.domain.model import OrderStatus, Written
from flashsale.errors import DatabaseUnavailable
from flashsale.postgres_store import connection as connections
from flashsale.postgres_store import database as databases
from flashsale.postgres_store.database import Database
from flashsale.postgres_store.orders import Orders
from tests.helpers.replica import replica_of
from tests.helpers.support import USERS, until

CONFIRMED, CANCELLED = Written(OrderStatus.CONFIRMED), Written(OrderStatus.CANCELLED)
WAITING = """
SELECT count(*) AS number FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


def order_of(product_id, id_="", user_id=USERS[0], quantity=1):
    return QueuedOrder(
        id=id_ or str(uuid.uuid4()),
        product_id=product_id,
        user_id=user_id,
        quantity=quantity,
        generation=4,
    )


def orders_of(product_id, count):
    return [order_of(product_id, user_id=USERS[number]) for number in range(count)]


@pytest.fixture
async def one(migrated):
    """Return a pool of one connection, as a function of Lambda has it."""
    database = Database(migrated.database_url, pool_size=1)
    yield database
    await database.close()


async def its_connection(database):
    async with database.transaction() as connection:
        return connection


async def exchanges(database, folder, call):
    """Return how often PostgreSQL said that it is ready again, after the pool's first check."""
    connection = await its_connection(database)
    path = folder / f"{uuid.uuid4()}.trace"
    with path.open("w") as file:
        connection.pgconn.trace(file.fileno())
        await call()
        connection.pgconn.untrace()
    return len(re.findall("ReadyForQuery", path.read_text()))


async def number_of_waiting(services):
    async with services.database.transaction() as connection:
        return (await (await connection.execute(WAITING)).fetchone())["number"]


class TestExchanges:
    @pytest.fixture
    async def store(self, one, new_product, monkeypatch):
        """Return the adapter after the writes that psycopg does not prepare."""
        monkeypatch.setattr(connections, "FRESH", 60)
        store = Orders(one)
        for _ in range(6):
            await store.write_batch([order_of(await new_product(1))])
        return store

    async def test_a_usual_batch_needs_one(self, one, store, new_product, tmp_path):
        batch = [*orders_of(await new_product(9), 5), *orders_of(await new_product(9), 5)]

        needed = await exchanges(one, tmp_path, lambda: store.write_batch(batch))

        assert needed == 1

    async def test_a_batch_of_known_orders_needs_two(self, one, store, new_product, tmp_path):
        batch = orders_of(await new_product(9), 9)
        await store.write_batch(batch)

        needed = await exchanges(one, tmp_path, lambda: store.write_batch(batch))

        assert needed == 2

    async def test_an_order_is_read_in_one(self, one, store, new_product, tmp_path):
        batch = orders_of(await new_product(9), 1)
        await store.write_batch(batch)

        assert await exchanges(one, tmp_path, lambda: store.get(batch[0].id)) == 1


async def test_two_products_of_which_one_has_too_few_units(services, new_product):
    enough, short = await new_product(10), await new_product(2)
    batch = [order for n in range(4) for order in (order_of(enough), order_of(short))]
    larger = order_of(enough, quantity=2)

    statuses = await services.orders.write_batch([*batch, larger])

    assert [statuses[order.id] for order in batch] == [CONFIRMED] * 4 + [
        CONFIRMED, CANCELLED, CONFIRMED, CANCELLED
    ]  # fmt: skip
    assert statuses[larger.id] == CONFIRMED
    assert (await services.products.get(enough)).stock == 4
    assert (await services.products.get(short)).stock == 0


async def test_units_beyond_the_columns_range_are_cancelled(services, new_product):
    product_id = await new_product(1)
    largest = [order_of(product_id, quantity=2**31 - 1) for _ in range(3)]
    fits = order_of(product_id)

    statuses = await services.orders.write_batch([*largest, fits])

    assert [statuses[order.id] for order in largest] == [CANCELLED] * 3
    assert statuses[fits.id] == CONFIRMED


@pytest.mark.usefixtures("long_line")
class TestLocks:
    async def test_batches_at_once_take_each_unit_once(self, services, new_product):
        products = sorted([await new_product(1000), await new_product(1000)])
        batches = [
            [order_of(product_id) for product_id in (products if n % 2 else products[::-1]) * 3]
            for n in range(16)
        ]
        batches += [batch[::-1] for batch in batches]  # delivered twice at once

        all_statuses = await asyncio.gather(
            *(services.orders.write_batch(batch) for batch in batches)
        )

        assert {status for one in all_statuses for status in one.values()} == {CONFIRMED}
        assert [(await services.products.get(id_)).stock for id_ in products] == [952, 952]

    async def test_batches_at_once_of_which_not_all_fit(self, services, new_product):
        product_id = await new_product(5)

        all_statuses = await asyncio.gather(
            *(services.orders.write_batch(orders_of(product_id, 3)) for _ in range(12))
        )

        given = [status for one in all_statuses for status in one.values()]
        assert (given.count(CONFIRMED), given.count(CANCELLED)) == (5, 31)
        assert (await services.products.get(product_id)).stock == 0

    @pytest.mark.parametrize("held", ["order", "product"])
    async def test_a_batch_that_waits_holds_nothing_that_comes_later(
        self, services, new_product, held
    ):
        """Locks are taken in one sequence: orders by id, then products by id."""
        products = sorted([await new_product(9), await new_product(9)])
        name = uuid.uuid4().hex
        first, second = (order_of(products[n], f"{name}-{n}") for n in range(2))
        async with services.database.transaction(silence=60) as holder:
            if held == "order":
                await holder.execute(
                    "INSERT INTO orders (id, product_id, quantity, status, generation) "
                    "VALUES (%s, %s, 1, 'CANCELLED', 4)",
                    [first.id, products[0]],
                )
            else:
                await holder.execute(
                    "SELECT FROM products WHERE id = %s FOR NO KEY UPDATE", [products[0]]
                )
            batch = asyncio.create_task(services.orders.write_batch([second, first]))
            await until(lambda: number_of_waiting(services))

            async with services.database.transaction() as other:
                await other.execute(
                    "SELECT FROM products WHERE id = %s FOR NO KEY UPDATE NOWAIT", [products[1]]
                )
                if held == "order":
                    await other.execute("SET LOCAL lock_timeout = '10ms'")
                    await other.execute(
                        "INSERT INTO orders (id, product_id, quantity, status, generation) "
                        "VALUES (%s, %s, 1, 'CANCELLED', 4)",
                        [second.id, products[1]],
                    )
                await other.rollback()
            await holder.rollback()
        assert await batch == {first.id: CONFIRMED, second.id: CONFIRMED}

    @pytest.mark.deadline
    async def test_a_batch_before_a_locked_product_is_left_in_time(self, services, new_product):
        product_id = await new_product(5)
        batch = orders_of(product_id, 3)
        async with services.database.transaction(silence=60) as holder:
            await holder.execute("SELECT FROM products WHERE id = %s FOR UPDATE", [product_id])
            with pytest.raises(DatabaseUnavailable, match="lock timeout"):
                await services.orders.write_batch(batch)
            assert await number_of_waiting(services) == 0

        assert set((await services.orders.write_batch(batch)).values()) == {CONFIRMED}
        assert (await services.products.get(product_id)).stock == 2


class TestConnections:
    async def test_a_server_that_hung_up_just_now_fails_no_batch(self, one, services, new_product):
        batch = orders_of(await new_product(5), 1)
        connection = await its_connection(one)
        pid = connection.info.backend_pid

        async with services.database.transaction() as other:
            await other.execute("SELECT pg_terminate_backend(%s)", [pid])
        await until(lambda: asyncio.sleep(0, connection._is_readable()))
        connection._answered = asyncio.get_running_loop().time()

        assert await Orders(one).write_batch(batch) == {batch[0].id: CONFIRMED}

    async def test_an_old_answer_of_the_server_proves_nothing(self, one, tmp_path, monkeypatch):
        monkeypatch.setattr(connections, "FRESH", 60)
        connection = await its_connection(one)

        async def ping_later():
            connection._answered -= 61
            await one.ping()

        assert await exchanges(one, tmp_path, one.ping) == 1
        assert await exchanges(one, tmp_path, ping_later) == 2


@pytest.mark.deadline
@pytest.mark.parametrize("ending", ["silence", "cancel"])
async def test_a_batch_that_waits_for_a_replica_is_not_reported_as_done(
    migrated, services, new_product, monkeypatch, ending
):
    """A cancelled commit would be visible at once, and lost if the replica took over."""
    monkeypatch.setattr(databases, "BATCH_SILENCE", 1.5)
    batch = orders_of(await new_product(5), 1)
    async with replica_of(migrated.database_url) as replica:
        await replica.lose()
        writing = asyncio.create_task(services.orders.write_batch(batch))
        await until(replica.is_awaited)
        if ending == "cancel":
            writing.cancel()
        with pytest.raises((DatabaseUnavailable, asyncio.CancelledError)):
            await writing

        assert await services.orders.get(batch[0].id) is None

    await until(lambda: services.orders.get(batch[0].id))
    assert await services.orders.write_batch(batch) == {batch[0].id: CONFIRMED}
