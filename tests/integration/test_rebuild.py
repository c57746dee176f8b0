"""`flashsale rebuild` restores a sale that Redis lost."""

import pytest

from flashsale.domain.claims import Claim, Claimed, SaleState, claimed_at
from flashsale.domain.messages import Envelope
from flashsale.domain.model import Refusal, Terms
from flashsale.redis_store.scripts import Keys
from flashsale.usecases.batch import ReceivedMessage
from flashsale.usecases.books import read_books
from flashsale.usecases.place_orders import place_orders
from flashsale.usecases.rebuild import NotRebuilt, StillBusy, rebuild
from flashsale.usecases.relay import LEASE_MS, TOKEN
from flashsale_local.cli import sale
from tests.helpers.support import USERS, until


class Line:
    """A queue whose messages are processed as soon as they are sent."""

    def __init__(self, services):
        self._services = services

    async def send(self, envelopes):
        messages = [ReceivedMessage(str(n), e.model_dump_json()) for n, e in enumerate(envelopes)]
        await place_orders(self._services, messages)


@pytest.fixture
def line(services):
    services.order_queue = Line(services)


def empty():
    return 0


async def take(services, product_id, user=USERS[0], quantity=1):
    return await services.ledger.claim(Claim(product_id, user, quantity), TOKEN, LEASE_MS)


async def lose(services, product_id):
    """Delete one product from Redis, as FLUSHALL would."""
    keys = Keys(product_id)
    names = (keys.stock, keys.sale, keys.ledger, keys.buyers, keys.lease, keys.released)
    await services.redis.delete(*names)


async def a_later_millisecond(services, order):
    seconds, microseconds = await services.redis.time()
    return seconds + microseconds / 1e6 > claimed_at(order.entry_id) + 0.001


async def books_of(services, product_id):
    (books,) = await read_books(services, [product_id])
    return books


async def test_a_lost_sale_returns_with_the_stock_of_postgresql(services, line, new_product):
    product_id = await new_product(10)
    for user in USERS[:4]:
        await take(services, product_id, user)
    sent = await services.ledger.take_unsent(product_id, 3)  # the fourth was never relayed
    await services.orders.write_batch(sent)
    await lose(services, product_id)
    assert await take(services, product_id) is Refusal.NO_SUCH_PRODUCT

    assert await rebuild(services, [product_id], empty, 60, grace=0) == {product_id: 7}

    assert isinstance(await take(services, product_id), Claimed)
    books = await books_of(services, product_id)
    assert (books.redis_stock, books.unsettled, books.confirmed) == (6, 1, 3)
    assert (books.balanced, books.oversold) == (True, 0)


async def test_a_sale_that_was_not_lost_keeps_its_terms_and_its_claims(services, line, new_product):
    product_id = await new_product(10, on_sale=False)
    terms = Terms(limit_per_buyer=2)
    await services.stock.open_sale(product_id, 10, terms)
    await take(services, product_id, quantity=2)

    assert await rebuild(services, [product_id], empty, 60, grace=0) == {product_id: 8}

    assert await take(services, product_id) is Refusal.PURCHASE_LIMIT
    assert isinstance(await take(services, product_id, USERS[1], 2), Claimed)
    assert (await books_of(services, product_id)).confirmed == 2


async def test_lost_terms_are_taken_from_the_command(services, line, new_product):
    product_id = await new_product(10)
    await lose(services, product_id)

    await rebuild(services, [product_id], empty, 60, Terms(limit_per_buyer=1), grace=0)

    assert await take(services, product_id, quantity=2) is Refusal.PURCHASE_LIMIT


async def test_the_sale_stays_paused_while_orders_are_on_their_way(services, new_product):
    product_id = await new_product(10)
    await take(services, product_id)
    (order,) = await services.ledger.take_unsent(product_id, 1)

    class Stuck:
        async def send(self, envelopes):
            """Accept messages without processing them."""

    services.order_queue = Stuck()
    with pytest.raises(StillBusy, match="1 claims and 0 messages"):
        await rebuild(services, [product_id], empty, 0.5, grace=0)

    assert await take(services, product_id) is Refusal.SALE_NOT_OPEN
    # The order arrives after all. PostgreSQL counts what was released in the meantime.
    await services.ledger.release(product_id, [order])
    services.order_queue = Line(services)
    assert await rebuild(services, [product_id], empty, 60, grace=0) == {product_id: 10}


async def test_a_sale_that_was_resumed_meanwhile_is_named_and_others_return(
    services, line, new_product, monkeypatch
):
    resumed, other = await new_product(10), await new_product(5)
    real = services.products.get_supply

    async def resume_first(product_id):
        await services.stock.resume_sale(resumed)
        return await real(product_id)

    monkeypatch.setattr(services.products, "get_supply", resume_first)

    with pytest.raises(NotRebuilt, match=resumed):
        await rebuild(services, [resumed, other], empty, 60, grace=0)

    assert await services.stock.left([other]) == [5]


async def test_without_names_sales_stopped_by_an_admin_stay_stopped(services, new_product, capsys):
    runs, lost, paused, ended = [await new_product(1) for _ in range(4)]
    await services.redis.delete(Keys(lost).stock)
    await services.stock.pause_sale(paused)
    await services.stock.pause_sale(ended, SaleState.ENDED)

    chosen = await sale.to_rebuild(services)

    assert {runs, lost, paused, ended} & set(chosen) == {runs, lost}
    assert paused in capsys.readouterr().out


async def test_the_database_prevents_overselling_while_redis_is_wrong(services, line, new_product):
    product_id = await new_product(3)
    await take(services, product_id, quantity=2)
    (late,) = await services.ledger.take_unsent(product_id, 1)
    await lose(services, product_id)
    await until(lambda: a_later_millisecond(services, late))  # otherwise an entry has the same name
    await services.stock.open_sale(
        product_id, 3
    )  # opened by hand, with 2 units that are sold already
    for user in USERS[:3]:
        await take(services, product_id, user)

    orders = await services.ledger.take_unsent(product_id, 10)
    for message in ([late], orders):
        body = Envelope.of(message).model_dump_json()
        await place_orders(services, [ReceivedMessage("m", body)])

    books = await books_of(services, product_id)
    assert (books.confirmed, books.cancelled, books.oversold) == (3, 2, 0)
    assert await rebuild(services, [product_id], empty, 60, grace=0) == {product_id: 0}
    assert (await books_of(services, product_id)).balanced
