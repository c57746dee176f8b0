"""One product is sold by one generation, as its opening says; every other generation rejects it."""

from datetime import UTC, datetime, timedelta

import pytest

from flashsale.domain.claims import SaleState
from flashsale.domain.model import Declined, Terms
from flashsale.redis_store.scripts import Keys
from flashsale.usecases.books import read_books
from flashsale.usecases.place_orders import place_orders
from flashsale.usecases.rebuild import NotRebuilt, rebuild
from flashsale.usecases.sales import open_sale
from tests.helpers.in_process import buyer_of
from tests.helpers.queued import Queue
from tests.helpers.support import USERS

ALL = [1, 2, 3, 4, 5]
SELLERS_AND_ROUTES = [(seller, route) for seller in ALL for route in ALL if seller != route]
HOUR = timedelta(hours=1)


@pytest.fixture
async def http(services):
    services.order_queue = Queue()
    async with buyer_of(services) as client:
        yield client


async def buy(http, generation, product_id, user=USERS[0]):
    body = {"productId": product_id, "userId": user}
    return await http.post(f"/api/v{generation}/buy", json=body)


async def opened(services, new_product, units=5, **terms):
    product_id = await new_product(units, on_sale=False)
    assert await open_sale(services, product_id, Terms(**terms)) is None
    return product_id


async def work_off(services):
    """Process all queued messages as the order function does."""
    await place_orders(services, services.order_queue.take())


async def everything(services, product_id):
    (books,) = await read_books(services, [product_id])
    keys = Keys(product_id)
    return books, await services.redis.get(keys.stock), await services.redis.hgetall(keys.sale)


def is_refused(answer, route, product_id, seller):
    message = f"Product {product_id} is sold by V{seller}"
    if route == 5:
        assert answer.headers["content-type"] == "application/problem+json"
        assert (answer.status_code, answer.json()["code"]) == (409, "other_generation")
        return answer.json()["detail"] == message
    assert answer.status_code == 400
    return answer.json() == {"error": "Bad Request", "message": message}


@pytest.mark.parametrize(("seller", "route"), SELLERS_AND_ROUTES)
async def test_a_route_rejects_what_another_generation_sells(
    http, services, new_product, seller, route
):
    product_id = await opened(services, new_product, generation=seller)
    before = await everything(services, product_id)

    answer = await buy(http, route, product_id)

    assert is_refused(answer, route, product_id, seller)
    assert await everything(services, product_id) == before
    assert (await buy(http, seller, product_id)).status_code in (201, 202)


@pytest.mark.parametrize("seller", ALL)
async def test_the_first_purchase_decides_if_the_opening_did_not(
    http, services, new_product, seller
):
    product_id = await opened(services, new_product)
    first = await buy(http, seller, product_id)

    answers = {route: await buy(http, route, product_id) for route in ALL}

    assert {a.status_code for a in (first, answers.pop(seller))} <= {201, 202}
    for route, answer in answers.items():
        assert is_refused(answer, route, product_id, seller)
    await services.ledger.renew_lease(product_id, "test", 0)
    await work_off(services)
    (books,) = await read_books(services, [product_id])
    assert books.generations == (seller,)
    assert (books.balanced, books.stock, books.confirmed) == (True, 3, 2)


async def test_a_rejected_purchase_decides_nothing(http, services, new_product):
    product_id = await opened(services, new_product, units=0)

    for route in (3, 4, 5):
        assert "out" in (await buy(http, route, product_id)).text.lower()

    assert (await services.ledger.snapshot(product_id, count_claims=True)).generation is None


NOT_OPEN = {
    "not yet": {"starts_at": datetime.now(UTC) + HOUR},
    "over": {"ends_at": datetime.now(UTC) - HOUR},
    "paused": SaleState.PAUSED,
    "ended": SaleState.ENDED,
}


@pytest.mark.parametrize("when", NOT_OPEN)
@pytest.mark.parametrize("route", ALL)
async def test_every_route_keeps_the_times_of_the_sale(http, services, new_product, route, when):
    window = NOT_OPEN[when]
    terms = {} if isinstance(window, SaleState) else window
    product_id = await opened(services, new_product, generation=route, **terms)
    if isinstance(window, SaleState):
        await services.stock.pause_sale(product_id, window)
    before = await everything(services, product_id)

    answer = await buy(http, route, product_id)

    if route == 5:
        assert (answer.status_code, answer.json()["code"]) == (409, "sale_not_open")
    else:
        expected = {"error": "Bad Request", "message": "The sale is not open"}
        assert (answer.status_code, answer.json()) == (400, expected)
    assert await everything(services, product_id) == before


@pytest.mark.parametrize("route", ALL)
async def test_what_was_never_opened_is_not_on_sale(http, services, new_product, route):
    product_id = await new_product(5, on_sale=False)

    answer = await buy(http, route, product_id)

    assert answer.status_code == 404
    (books,) = await read_books(services, [product_id])
    assert (books.confirmed, books.postgres_stock) == (0, 5)


@pytest.mark.parametrize("seller", [1, 2])
async def test_the_shown_stock_is_the_one_being_sold(http, services, new_product, seller):
    product_id = await opened(services, new_product, generation=seller)
    await buy(http, seller, product_id)

    listed = {p["id"]: p["stock"] for p in (await http.get("/api/products")).json()}
    single = (await http.get(f"/api/products/{product_id}")).json()
    of_v5 = await http.get(f"/api/v5/products/{product_id}/stock")

    assert (listed[product_id], single["stock"]) == (4, 4)
    assert is_refused(of_v5, 5, product_id, seller)
    (books,) = await read_books(services, [product_id])
    assert (books.balanced, books.redis_stock, books.stock) == (True, None, 4)


@pytest.mark.parametrize("seller", ALL)
async def test_a_product_with_orders_stays_with_their_generation(
    http, services, new_product, seller
):
    product_id = await opened(services, new_product, generation=seller)
    await buy(http, seller, product_id)
    await services.ledger.renew_lease(product_id, "test", 0)
    await work_off(services)
    await services.stock.pause_sale(product_id, SaleState.ENDED)
    other = seller % 5 + 1

    refused = await open_sale(services, product_id, Terms(generation=other))
    accepted = await open_sale(services, product_id, Terms())

    assert (refused, accepted) == (Declined.OTHER_GENERATION, None)
    assert (await services.ledger.snapshot(product_id, count_claims=True)).generation == seller
    assert is_refused(await buy(http, other, product_id), other, product_id, seller)
    assert (await buy(http, seller, product_id)).status_code in (201, 202)


async def test_only_an_undecided_sale_can_get_a_generation(services, new_product):
    product_id = await opened(services, new_product)

    answers = [
        await open_sale(services, product_id, Terms(generation=g)) for g in (None, 4, 4, None, 5)
    ]

    assert answers == [None, None, None, None, Declined.SALE_RUNNING]
    assert (await services.ledger.snapshot(product_id, count_claims=True)).generation == 4


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("seller", ALL)
async def test_a_rebuild_keeps_the_generation(http, services, new_product, seller, lost):
    product_id = await opened(services, new_product, generation=seller)
    await buy(http, seller, product_id)
    await services.ledger.renew_lease(product_id, "test", 0)
    await work_off(services)
    if lost:
        keys = Keys(product_id)
        await services.redis.delete(keys.stock, keys.sale, keys.ledger)
        wrong = Terms(generation=seller % 5 + 1)
        with pytest.raises(NotRebuilt, match=f"{product_id} stays paused, as V{seller}"):
            await rebuild(services, [product_id], lambda: 0, 60, wrong, grace=0)
        await services.redis.delete(keys.sale)

    assert await rebuild(services, [product_id], lambda: 0, 60, grace=0) == {product_id: 4}

    other = seller % 5 + 1
    assert is_refused(await buy(http, other, product_id), other, product_id, seller)
    (books,) = await read_books(services, [product_id])
    assert (books.balanced, books.stock) == (True, 4)


async def test_a_rebuild_of_an_oversold_product_uses_postgresqls_stock(services, new_product):
    product_id = await opened(services, new_product, units=2, generation=1)
    async with services.database.transaction() as connection:
        await connection.execute(
            "INSERT INTO orders (id, user_id, product_id, quantity, status, generation)"
            " VALUES (%s, %s, %s, 3, 'CONFIRMED', 1)",
            [product_id, USERS[0], product_id],
        )

    assert await rebuild(services, [product_id], lambda: 0, 60, grace=0) == {product_id: 2}


def test_only_v5_keeps_a_purchase_limit():
    assert Terms(limit_per_buyer=1).generation == 5
    with pytest.raises(ValueError, match="Only V5"):
        Terms(limit_per_buyer=1, generation=4)


async def test_the_admin_api_shows_and_sets_the_generation(desk, new_product):
    product_id = await new_product(5, on_sale=False)

    limited = await desk.act(product_id, "open", {"generation": 4, "limitPerBuyer": 2})
    unknown = await desk.act(product_id, "open", {"generation": 6})
    answer = await desk.act(product_id, "open", {"generation": 4})
    other = await desk.act(product_id, "open", {"generation": 5})

    assert [a.status_code for a in (limited, unknown, answer, other)] == [422, 422, 200, 409]
    assert "Only V5 keeps a purchase limit" in limited.json()["detail"]
    assert (answer.json()["generation"], other.json()["code"]) == (4, "sale_running")
