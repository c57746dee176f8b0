"""Ids of V5 are unique. If one is repeated, no buyer gets another buyer's order."""

import pytest

from flashsale.domain.claims import Claimed, SaleState
from flashsale.domain.messages import QueuedOrder
from flashsale.domain.model import OrderStatus, Terms
from flashsale.redis_store.scripts import Keys
from flashsale.usecases.batch import ReceivedMessage
from flashsale.usecases.compensate import compensate
from flashsale.usecases.place_orders import place_orders
from flashsale.usecases.rebuild import rebuild
from flashsale.usecases.sales import open_sale
from tests.helpers.admin_desk import books_of, claim, message_of, sell
from tests.helpers.in_process import buyer_of
from tests.helpers.queued import Queue, queued
from tests.helpers.support import USERS

# Milliseconds since 1970, in the far future. The clock of Redis was set back after them.
LATER = 4_000_000_000_000


def number(order_id):
    """Return the ledger entry of an id in a form that can be compared."""
    return tuple(int(part) for part in order_id.rpartition(":")[2].split("-"))


async def sell_later(services, product_id, users, quantity=1):
    """Return orders from a time when the clock of Redis was ahead."""
    await services.redis.execute_command("XSETID", Keys(product_id).ledger, f"{LATER}-7")
    return await sell(services, product_id, users, quantity)


async def lose(services, product_id):
    keys = Keys(product_id)
    await services.redis.delete(keys.stock, keys.sale, keys.ledger, keys.buyers, keys.released)


async def test_ids_of_the_next_sale_follow_those_of_the_last_one(services, new_product):
    product_id = await new_product(10)
    (order,) = await sell_later(services, product_id, USERS[:1])
    await services.stock.pause_sale(product_id, SaleState.ENDED)
    assert await open_sale(services, product_id, Terms()) is None

    claimed = await claim(services, product_id, USERS[1])

    assert number(claimed.order_id) > number(order.id)
    (unsent,) = await services.ledger.take_unsent(product_id, 10)
    assert unsent.id == claimed.order_id


async def test_the_id_of_a_released_claim_is_not_reused(services, new_product):
    product_id = await new_product(10)
    await services.redis.execute_command("XSETID", Keys(product_id).ledger, f"{LATER}-7")
    released = await claim(services, product_id)
    (order,) = await services.ledger.take_unsent(product_id, 10)
    await compensate(services, [message_of(order)])
    await services.stock.pause_sale(product_id, SaleState.ENDED)
    assert await open_sale(services, product_id, Terms()) is None

    assert number((await claim(services, product_id)).order_id) > number(released.order_id)


@pytest.mark.parametrize("how", ["rebuild", "open"])
async def test_after_a_loss_of_redis_the_last_id_comes_from_postgresql(
    desk, services, new_product, how
):
    product_id = await new_product(10)
    (order,) = await sell_later(services, product_id, USERS[:1])
    await desk.cancel(order.id)  # otherwise only a rebuild opens it
    await lose(services, product_id)

    if how == "rebuild":
        await rebuild(services, [product_id], lambda: 0, 60, grace=0)
    else:
        assert await open_sale(services, product_id, Terms()) is None

    assert number((await claim(services, product_id, USERS[1])).order_id) > number(order.id)


async def test_an_impossible_id_does_not_raise_the_next_ids(services, new_product):
    """A forged message must not use up the ids of a product."""
    product_id = await new_product(10)
    forged = QueuedOrder.of_claim(product_id, f"{2**63 - 1}-{2**63 - 1}", USERS[0], 1, "")
    await services.orders.write_batch([forged])
    await lose(services, product_id)

    await rebuild(services, [product_id], lambda: 0, 60, grace=0)

    assert number((await claim(services, product_id)).order_id) < (LATER, 0)


async def test_a_cancelled_order_of_an_earlier_sale_counts_for_it(desk, services, new_product):
    product_id = await new_product(10)
    (order,) = await sell_later(services, product_id, USERS[:1], 2)
    await services.stock.pause_sale(product_id, SaleState.ENDED)
    await open_sale(services, product_id, Terms())
    (other,) = await sell(services, product_id, USERS[1:2], 3)

    for cancelled in (order, other):
        assert (await desk.cancel(cancelled.id)).status_code == 200

    books = await books_of(services, product_id)
    assert (books.redis_stock, books.ledger.initial, books.ledger.settled) == (10, 10, 0)


@pytest.fixture
async def twice(services, new_product):
    """Return a CONFIRMED order, and another buyer's claim with the same id."""
    product_id = await new_product(10)
    services.order_queue = Queue()
    claimed = await claim(services, product_id, USERS[1], 2)
    (second,) = await services.ledger.take_unsent(product_id, 10)
    first = second.model_copy(update={"user_id": USERS[0], "quantity": 1})
    assert isinstance(claimed, Claimed)
    await services.orders.write_batch([first])
    return first, second


async def test_another_buyers_order_confirms_no_claim(services, twice):
    first, second = twice

    outcome = await place_orders(services, [message_of(second)])

    assert (outcome.confirmed, outcome.cancelled) == ([], [])
    (failure,) = outcome.failures
    assert f"another order has the id {second.id}" in failure.cause
    snapshot = await services.ledger.snapshot(first.product_id, count_claims=True)
    assert (snapshot.settled, snapshot.unsettled) == (0, 2)


async def test_the_rollback_releases_the_claim_and_records_why(services, twice):
    first, second = twice

    outcome = await compensate(services, [message_of(second)])

    assert (outcome.released, outcome.conflicts, outcome.failures) == (2, [second], [])
    snapshot = await services.ledger.snapshot(first.product_id, count_claims=True)
    assert (snapshot.stock, snapshot.unsettled, snapshot.released) == (10, 0, 2)
    row = await services.orders.get(first.id)
    assert (row.user_id, row.status) == (USERS[0], OrderStatus.CONFIRMED)


@pytest.mark.parametrize("change", [{"user_id": USERS[2]}, {"quantity": 3}])
async def test_a_forged_message_releases_no_claim_of_another_buyer(services, new_product, change):
    """The order is CONFIRMED, but the process crashed before it settled the claim."""
    product_id = await new_product(10)
    (order,) = await sell(services, product_id, USERS[:1], settle=False)
    forged = message_of(order.model_copy(update=change))

    placed = await place_orders(services, [forged])
    rolled_back = await compensate(services, [forged])

    for outcome in (placed, rolled_back):
        assert "another order has the id" in outcome.failures[0].cause
        assert (outcome.confirmed, outcome.cancelled, outcome.released) == ([], [], 0)
    snapshot = await services.ledger.snapshot(product_id, count_claims=True)
    assert (snapshot.stock, snapshot.unsettled) == (9, 1)


@pytest.mark.parametrize("status", ["CONFIRMED", "CANCELLED"])
async def test_a_message_of_v4_with_the_id_of_another_order_releases_nothing(
    services, new_product, status
):
    product_id = await new_product(10)
    await services.stock.decrement(product_id, 1)
    (message,) = queued(product_id)
    await (place_orders if status == "CONFIRMED" else compensate)(services, [message])
    order = QueuedOrder.model_validate_json(message.body)
    left = await services.redis.get(Keys(product_id).stock)
    others = [{"user_id": USERS[1]}, {"quantity": 2}, {"generation": 3}]

    for change in others:
        forged = ReceivedMessage("m", order.model_copy(update=change).model_dump_json())
        for act in (place_orders, compensate):
            outcome = await act(services, [forged])
            assert "another order has the id" in outcome.failures[0].cause
            assert (outcome.confirmed, outcome.cancelled) == ([], [])

    assert await services.redis.get(Keys(product_id).stock) == left


async def test_one_of_two_orders_with_the_same_id_in_a_batch_is_confirmed(services, new_product):
    product_id = await new_product(10)
    await services.stock.decrement(product_id, 1)
    (message,) = queued(product_id)
    order = QueuedOrder.model_validate_json(message.body).model_copy(update={"user_id": USERS[1]})
    forged = ReceivedMessage("forged", order.model_dump_json())

    outcome = await place_orders(services, [message, forged])

    assert [o.user_id for o in outcome.confirmed] == [USERS[0]]
    assert [f.message_id for f in outcome.failures] == ["forged"]


async def test_a_failed_order_does_not_block_others_of_its_envelope(services, twice):
    first, second = twice
    await services.ledger.release(second.product_id, [second])  # this order is complete
    await claim(services, first.product_id, USERS[2])
    (good,) = await services.ledger.take_unsent(first.product_id, 10)

    outcome = await compensate(services, [message_of(second, good)])

    assert outcome.cancelled == [good]
    assert len(outcome.failures) == 1


async def test_an_order_is_never_shown_as_another_buyers(services, twice):
    first, second = twice

    async with buyer_of(services) as http:
        answer = await http.get(f"/api/v5/orders/{second.id}")
        await services.ledger.release(second.product_id, [second])
        later = await http.get(f"/api/v5/orders/{first.id}")

    assert (answer.json()["status"], later.json()["status"]) == ("PENDING", "CONFIRMED")


async def test_an_admin_cannot_cancel_two_orders_with_the_same_id(desk, services, twice):
    first, second = twice

    answer = await desk.cancel(first.id)

    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_order")
    snapshot = await services.ledger.snapshot(first.product_id, count_claims=True)
    assert (snapshot.stock, snapshot.unsettled) == (8, 2)
    await compensate(services, [message_of(second)])
    assert (await desk.cancel(first.id)).status_code == 200
