"""The books on real stores, which cannot be read at the same instant."""

from flashsale.domain.messages import QueuedOrder
from flashsale.errors import StockUnavailable
from flashsale.usecases.books import read_books
from flashsale.usecases.place_orders import place_orders
from tests.helpers.admin_desk import books_of, dies, message_of, sell
from tests.helpers.support import USERS


async def lost_by(services, product_id):
    (books,) = await read_books(services, [product_id])
    assert books.broken is (books.lost > 0)
    return books.lost


def before_the_orders_are_read(services, monkeypatch, act):
    """Run `act` once, between reading Redis and reading PostgreSQL."""
    real = services.database.fetch_all

    async def act_first(*arguments, **named):
        monkeypatch.setattr(services.database, "fetch_all", real)
        await act()
        return await real(*arguments, **named)

    monkeypatch.setattr(services.database, "fetch_all", act_first)


async def test_a_restock_that_failed_before_redis_is_found(
    desk, services, new_product, monkeypatch
):
    product_id = await new_product(4)
    await sell(services, product_id, USERS[:2])
    dies(monkeypatch, services.stock, "restock", StockUnavailable, after=False)

    failed = await desk.act(product_id, "restock", {"units": 5}, product_id)

    assert (failed.status_code, await lost_by(services, product_id)) == (503, 5)
    await desk.act(product_id, "restock", {"units": 5}, product_id)
    await books_of(services, product_id)


async def test_a_cancel_that_failed_before_redis_is_found_in_a_later_sale(
    desk, services, new_product, monkeypatch
):
    product_id = await new_product(4)
    (order,) = await sell(services, product_id, USERS[:1], 2)
    await desk.act(product_id, "end")
    await desk.act(product_id, "open")
    dies(monkeypatch, services.ledger, "give_back", StockUnavailable, after=False)

    failed = await desk.cancel(order.id)

    assert (failed.status_code, await lost_by(services, product_id)) == (503, 2)
    await desk.cancel(order.id)
    await books_of(services, product_id)


async def test_a_restock_between_the_two_reads_is_no_loss(desk, services, new_product, monkeypatch):
    product_id = await new_product(4)
    await sell(services, product_id, USERS[:2])

    async def restock():
        assert (await desk.act(product_id, "restock", {"units": 5}, product_id)).status_code == 200

    before_the_orders_are_read(services, monkeypatch, restock)

    assert (await books_of(services, product_id)).redis_stock == 7


async def test_v4_orders_between_the_two_reads_are_not_sold_twice(
    services, new_product, monkeypatch
):
    product_id = await new_product(4)

    async def sell_two():
        await services.stock.decrement(product_id, 2)
        order = QueuedOrder(
            id=product_id, product_id=product_id, user_id=USERS[0], quantity=2, generation=4
        )
        await services.orders.write_batch([order])

    before_the_orders_are_read(services, monkeypatch, sell_two)

    (books,) = await read_books(services, [product_id])
    assert (books.balanced, books.redis_stock, books.confirmed) == (True, 2, 2)


async def test_an_order_without_a_claim_is_in_two_places(services, new_product):
    product_id = await new_product(4)
    await sell(services, product_id, USERS[:1])
    forged = QueuedOrder.of_claim(product_id, "1-1", USERS[1], 2, "")
    await place_orders(services, [message_of(forged)])

    (books,) = await read_books(services, [product_id])

    assert (books.imbalance, books.broken) == (-2, True)


async def test_v5_orders_between_the_two_reads_have_claims(services, new_product, monkeypatch):
    product_id = await new_product(4)
    await sell(services, product_id, USERS[:1])

    async def sell_two():
        await sell(services, product_id, USERS[1:3])

    before_the_orders_are_read(services, monkeypatch, sell_two)

    assert (await books_of(services, product_id)).redis_stock == 1
