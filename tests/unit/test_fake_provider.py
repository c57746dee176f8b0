"""The fake provider: the adapter's calls, its states, and its signed webhooks."""

import json
import time
from decimal import Decimal

import pytest

from flashsale.domain.payments import Payment
from flashsale.errors import ProviderUnavailable
from flashsale.provider.events import paid
from flashsale.provider.signature import verify
from flashsale.provider.stripe import Stripe
from tests.helpers.fake_provider import WEBHOOK_SECRET, WebhookReceiver, fake_provider
from tests.helpers.support import eventually

ORDER, PRICE = "p-01:1-0", Decimal("7.50")


@pytest.fixture
def receiver():
    receiver = WebhookReceiver()
    yield receiver
    receiver.close()


@pytest.fixture
def fake(receiver):
    with fake_provider(receiver.receiver) as fake:
        yield fake


@pytest.fixture
async def intent(fake):
    return await fake.stripe().create(ORDER, PRICE, "EUR")


async def test_an_order_has_one_payment(fake, intent):
    again = await fake.stripe().create(ORDER, PRICE, "EUR")
    other = await fake.stripe().create("p-01:2-0", PRICE, "EUR")

    assert (again.id, again.client_secret) == (intent.id, intent.client_secret)
    assert set(fake.intents()) == {intent.id, other.id}


async def test_the_key_of_another_amount_is_rejected(fake, intent):
    with pytest.raises(ProviderUnavailable, match="idempotency"):
        await fake.stripe().create(ORDER, Decimal(8), "EUR")


async def test_a_cancelled_payment_cannot_be_made(fake, intent):
    assert await fake.stripe().cancel(intent.id) is None
    assert await fake.stripe().cancel(intent.id) is None

    assert fake.pay(intent.id).status_code == 400
    assert fake.intents()[intent.id]["status"] == "canceled"


async def test_a_payment_that_succeeded_is_returned_and_refunded_once(fake, intent, receiver):
    assert fake.pay(intent.id).json()["status"] == "succeeded"

    payment = Payment(intent.id, ORDER, PRICE, "EUR")
    assert await fake.stripe().cancel(intent.id) == payment
    await fake.stripe().refund(intent.id)
    await fake.stripe().refund(intent.id)
    assert fake.intents()[intent.id]["refunds"] == 1


async def test_a_payment_that_was_not_made_is_not_refunded(fake, intent):
    with pytest.raises(ProviderUnavailable, match="charge_not_found"):
        await fake.stripe().refund(intent.id)


async def test_a_wrong_key_is_rejected(fake):
    with pytest.raises(ProviderUnavailable, match="status 401"):
        await Stripe(fake.url, "sk_other").create(ORDER, PRICE, "EUR")


@pytest.mark.parametrize(("wish", "amount"), [({}, "7.50"), ({"amount": 1}, "0.01")])
async def test_the_webhook_is_signed_and_tells_of_the_payment(fake, intent, receiver, wish, amount):
    fake.pay(intent.id, **wish)

    ((path, headers, body),) = eventually(lambda: receiver.received)
    assert (path, headers["X-Test"]) == ("/hook", "yes")
    verify(headers["Stripe-Signature"], body, [WEBHOOK_SECRET], time.time())
    assert paid(body) == Payment(intent.id, ORDER, Decimal(amount), "EUR")


def states(fake, intent):
    return [one["state"] for one in fake.intents()[intent.id]["webhooks"]]


async def test_a_webhook_may_come_twice_and_before_an_older_event(fake, intent, receiver):
    fake.pay(intent.id, times=2, out_of_order=True)

    eventually(lambda: states(fake, intent) == ["delivered"] * 3)
    events = [json.loads(body) for _, _, body in receiver.received]
    paid_, created = "payment_intent.succeeded", "payment_intent.created"
    assert [event["type"] for event in events] == [paid_, paid_, created]
    assert events[0]["id"] == events[1]["id"] != events[2]["id"]


async def test_a_webhook_may_never_come_or_late(fake, intent, receiver):
    late = await fake.stripe().create("p-01:2-0", PRICE, "EUR")
    fake.pay(intent.id, times=0)
    fake.pay(late.id, delay=3600)

    assert (states(fake, intent), states(fake, late)) == ([], ["waiting"])
    assert {one["status"] for one in fake.intents().values()} == {"succeeded"}
    assert receiver.received == []


async def test_a_webhook_that_is_not_taken_comes_again_and_is_given_up(fake, intent, receiver):
    taken = await fake.stripe().create("p-01:2-0", PRICE, "EUR")
    receiver.statuses = [503, 400]
    fake.pay(taken.id)
    eventually(lambda: states(fake, taken) == ["delivered"])
    receiver.statuses = [500] * 99
    fake.pay(intent.id)
    eventually(lambda: states(fake, intent) == ["given up"])

    webhooks = {id_: one["webhooks"] for id_, one in fake.intents().items()}
    assert webhooks[taken.id][0]["answers"] == [503, 400, 200]
    assert webhooks[intent.id][0]["answers"] == [500] * 5


@pytest.mark.parametrize(
    "wish", [{"tiems": 2}, {"times": -1}, {"delay": "1"}, {"amount": 1.5}, {"times": True}]
)
async def test_a_misspelt_wish_is_rejected(fake, intent, receiver, wish):
    assert fake.pay(intent.id, **wish).status_code == 400
    assert fake.intents()[intent.id]["status"] == "requires_payment_method"


async def test_the_page_lists_payments_and_pays_them(fake, receiver):
    order = "<b>:1-0"
    intent = await fake.stripe().create(order, PRICE, "EUR")

    shown = fake.get("/").text

    assert f'action="fake/payment_intents/{intent.id}/pay"' in shown
    assert "&lt;b&gt;:1-0" in shown
    assert order not in shown
    assert fake.press_pay(intent.id).status_code == 303
    assert "succeeded" in fake.get("/").text


async def test_another_host_name_is_rejected(fake):
    assert fake.get("/", headers={"Host": "elsewhere.example"}).status_code == 400
