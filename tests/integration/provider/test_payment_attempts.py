"""A buyer begins to pay, on real stores and at the fake provider."""

import pytest

from flashsale.domain.model import OrderStatus
from flashsale.domain.payment_attempts import CannotBegin, NotPayable
from flashsale.errors import ProviderUnavailable
from flashsale.http.application import create_app
from flashsale.provider.stripe import Stripe
from flashsale.usecases.payment_attempts import begin_payment
from flashsale_local.stack.program import free_port
from tests.helpers.fake_provider import KEY
from tests.helpers.in_process import client_of
from tests.helpers.support import USERS


@pytest.fixture
async def http(services):
    async with client_of(create_app(lambda: services)) as client:
        yield client


def path_of(order):
    return f"/api/v5/orders/{order.id}/payment"


async def test_a_payment_begins_once(shop, http, fake):
    order = await shop.reserve(units=2)

    first, second = [await http.post(path_of(order)) for _ in range(2)]

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    body = first.json()
    assert set(body) == {"paymentId", "clientSecret", "expiresAt"}
    intent = fake.intents()[body["paymentId"]]
    assert body["clientSecret"] == f"{intent['id']}_secret_{intent['secret']}"
    assert (intent["amount"], intent["currency"]) == (1500, "eur")
    assert intent["metadata"] == {"order_id": order.id}
    assert await shop.attempt(order) == intent["id"]
    assert await shop.status(order) == "RESERVED"


async def test_another_buyer_begins_no_payment(shop, fake):
    order, before = await shop.reserve(), len(fake.intents())
    claim = await shop.claim(USERS[1])

    assert await begin_payment(shop.services, order.id, USERS[1]) is CannotBegin.NO_SUCH_ORDER
    assert await begin_payment(shop.services, claim.id, USERS[0]) is CannotBegin.NO_SUCH_ORDER
    assert len(fake.intents()) == before


@pytest.mark.parametrize("order_id", ["p-01:1-0", "no-order", "a b", "p%7B:1-0"])
async def test_an_unknown_order_is_not_found(http, order_id):
    answer = await http.post(f"/api/v5/orders/{order_id}/payment")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_an_order_that_is_not_reserved_is_not_payable(shop, http, fake):
    claim = await shop.claim(USERS[1])
    expired, confirmed, cancelled = [await shop.reserve(user) for user in USERS[2:5]]
    before = len(fake.intents())
    await shop.pay(confirmed)
    await shop.cancel(cancelled)
    await shop.time_passes()
    await shop.expire()

    answers = [await http.post(path_of(one)) for one in (claim, expired, confirmed, cancelled)]

    assert {(one.status_code, one.json()["code"]) for one in answers} == {(409, "not_payable")}
    statuses = [one.json()["detail"].split()[-1].strip(".") for one in answers]
    assert statuses == ["PENDING", "EXPIRED", "CONFIRMED", "CANCELLED"]
    assert len(fake.intents()) == before


async def test_nobody_begins_in_the_last_seconds_of_a_hold(shop, http, fake):
    order, before = await shop.reserve(), len(fake.intents())
    await shop.ended(-9 / 60)

    answer = await http.post(path_of(order))

    assert (answer.status_code, answer.json()["code"]) == (409, "hold_expiring")
    assert len(fake.intents()) == before


@pytest.mark.parametrize("change", ["currency = 'JPY'", "price = 0"])
async def test_an_amount_that_the_provider_cannot_take(shop, http, fake, change):
    before = len(fake.intents())
    await shop.execute(f"UPDATE products SET {change} WHERE id = %s", shop.product_id)
    order = await shop.reserve()

    answer = await http.post(path_of(order))

    assert (answer.status_code, answer.json()["code"]) == (409, "amount_not_payable")
    assert len(fake.intents()) == before


@pytest.mark.parametrize(("url", "status"), [(None, 501), ("http://127.0.0.1:{port}", 503)])
async def test_without_a_provider_nothing_begins(shop, http, url, status):
    order = await shop.reserve()
    url = url and url.format(port=free_port())
    shop.services.provider = Stripe(url, KEY) if url else None

    answer = await http.post(path_of(order))

    assert answer.status_code == status
    assert (answer.headers.get("retry-after") == "1") == (status == 503)
    assert KEY not in answer.text
    assert await shop.attempt(order) is None


class Late(Stripe):
    """Calls the provider, and then lets something happen before it returns."""

    async def create(self, *arguments):
        intent = await super().create(*arguments)
        await self.happens()
        return intent


@pytest.mark.parametrize("provider_dies", [False, True])
async def test_an_order_that_ends_meanwhile_is_not_paid(shop, fake, provider_dies):
    order = await shop.reserve()
    shop.services.provider = late = Late(fake.url, KEY)

    async def the_hold_ends():
        await shop.time_passes()
        await shop.expire()
        if provider_dies:
            late._url = f"http://127.0.0.1:{free_port()}"

    late.happens = the_hold_ends

    answer = await begin_payment(shop.services, order.id, order.user_id)

    assert answer == NotPayable(OrderStatus.EXPIRED)
    (intent,) = [i for i in fake.intents().values() if i["metadata"]["order_id"] == order.id]
    open_, cancelled = "requires_payment_method", "canceled"
    assert intent["status"] == (open_ if provider_dies else cancelled)
    assert await shop.attempt(order) is None


async def test_an_error_of_the_provider_shows_no_secret(shop, fake):
    order = await shop.reserve()
    shop.services.provider = Stripe(fake.url, "sk_wrong_and_secret")

    with pytest.raises(ProviderUnavailable) as caught:
        await begin_payment(shop.services, order.id, order.user_id)

    assert "sk_" not in str(caught.value)
