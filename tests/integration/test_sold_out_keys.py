"""Claims with an Idempotency-Key while their process answers "sold out" by itself."""

import pytest

from flashsale.domain.model import Refusal
from tests.helpers.support import USERS
from tests.integration.refusals import buy, commands

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
async def sold(services, new_product):
    """Return a sold-out product, the key of its only order, and the order's id."""
    product_id = await new_product(1)
    order_id = await buy(services, product_id, 5, key=product_id)
    assert await buy(services, product_id, 5, user=USERS[1]) is Refusal.SOLD_OUT
    return product_id, order_id


async def test_a_repeat_gets_its_own_order(services, sold):
    product_id, order_id = sold

    repeats = [await buy(services, product_id, 5, key=product_id) for _ in range(3)]

    assert repeats == [order_id] * 3


async def test_a_repeat_gets_its_order_from_a_process_that_did_not_sell_it(
    services, other, new_product
):
    product_id = await new_product(1)
    order_id = await buy(other, product_id, 5, key=product_id)
    assert await buy(services, product_id, 5, user=USERS[1]) is Refusal.SOLD_OUT

    assert await buy(services, product_id, 5, key=product_id) == order_id


async def test_the_key_of_another_request_is_rejected(services, sold, new_product):
    product_id, _ = sold
    elsewhere = await new_product(5)
    await buy(services, elsewhere, 5, key=elsewhere)

    more = await buy(services, product_id, 5, quantity=2, key=product_id)
    another = await buy(services, product_id, 5, key=elsewhere)

    assert [more, another] == [Refusal.KEY_REUSED] * 2


async def test_a_refusal_costs_one_read_and_binds_no_key(services, sold):
    product_id, _ = sold
    await services.ledger._bound_to(keys=["idem:warm up"])  # loads the script
    before = await commands(services)

    refused = await buy(services, product_id, 5, key="new")

    assert refused is Refusal.SOLD_OUT
    assert await commands(services) - before == {"evalsha": 1, "hget": 1}
    await services.stock.restock(product_id, 9)
    assert isinstance(await buy(services, product_id, 5, quantity=2, key="new"), str)
