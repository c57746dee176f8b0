"""How the sweep ends holds whose buyers began to pay, and refunds; at the fake provider."""

import asyncio
from dataclasses import replace

import pytest

from flashsale.config import Provider
from flashsale.provider.stripe import Stripe
from flashsale.redis_store.stock import EXPIRER
from flashsale.services import Services
from flashsale.usecases import provider_ends
from flashsale.usecases.provider_ends import refund_payments
from flashsale_local.fake_provider.webhooks import Receiver
from flashsale_server.edge.background import _expire_in_turn
from tests.helpers.fake_provider import KEY, fake_provider
from tests.helpers.post_server import PostServer
from tests.helpers.support import USERS
from tests.integration.provider_shop import provider_shop
from tests.integration.sweep_function import run_all_but_the_sweep

UNTAKEN = (10, 0, 0, 0)


@pytest.fixture(scope="module")
def fake():
    with fake_provider(Receiver("")) as fake:
        yield fake


@pytest.fixture
async def services(migrated, patient, fake):
    services = Services(replace(migrated, provider=Provider(fake.url, KEY)))
    yield services
    await services.close()


@pytest.fixture
async def shop(services, new_product):
    shop = await provider_shop(services, new_product)
    yield shop
    # What is left would be asked for in later tests.
    await shop.execute("UPDATE payments SET decision = 'REFUNDED' WHERE decision = 'REFUND_DUE'")
    await shop.execute("UPDATE orders SET attempt_id = NULL WHERE status <> 'CONFIRMED'")
    await shop.rested()


class Broken(PostServer):
    """A provider that answers each call with 500."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def answer_to(self, *_):
        self.calls += 1
        return 500, {}, b'{"error": {"type": "api_error"}}'


@pytest.fixture
def broken():
    broken = Broken()
    yield broken
    broken.close()


async def test_a_begun_payment_is_cancelled_and_its_hold_expires(shop, fake):
    order = await shop.reserve(units=2)
    payment_id = await shop.begin(order)
    await shop.expire()
    assert fake.intents()[payment_id]["status"] == "requires_payment_method"

    await shop.ended(2)
    await shop.expire()

    assert fake.intents()[payment_id]["status"] == "canceled"
    assert (await shop.status(order), await shop.where()) == ("EXPIRED", UNTAKEN)
    assert await shop.attempt(order) is None


async def test_a_payment_whose_webhook_never_came_confirms_its_order(shop, fake):
    order = await shop.reserve(units=2)
    payment_id = await shop.begin(order)
    fake.pay(payment_id, times=0)

    await shop.ended(2)
    await shop.expire()

    assert (await shop.status(order), await shop.where()) == ("CONFIRMED", (8, 0, 0, 2))
    assert await shop.decision(payment_id) == ("APPLIED", None)
    assert await shop.attempt(order) == payment_id
    await shop.expire()
    assert await shop.status(order) == "CONFIRMED"


async def test_a_hold_waits_for_a_silent_provider_and_then_expires(shop, broken):
    begun, other = await shop.reserve(USERS[0]), await shop.reserve(USERS[1])
    await shop.begin(begun)
    shop.services.provider = Stripe(broken.url, KEY)

    await shop.ended(14)
    await shop.expire()
    assert [await shop.status(one) for one in (begun, other)] == ["RESERVED", "EXPIRED"]

    await shop.ended(16)
    await shop.expire()
    assert (await shop.status(begun), await shop.where()) == ("EXPIRED", UNTAKEN)


async def test_without_a_provider_no_hold_waits(shop):
    order = await shop.reserve()
    await shop.begin(order)
    shop.services.provider = None

    await shop.ended(2)
    await shop.expire()

    assert await shop.status(order) == "EXPIRED"


async def test_a_silent_provider_is_asked_again_after_a_pause(shop, broken, fake):
    order = await shop.reserve()
    payment_id = await shop.begin(order)
    shop.services.provider = Stripe(broken.url, KEY)
    await shop.ended(2)

    for _ in range(3):
        await shop.services.redis.delete(EXPIRER)
        await _expire_in_turn(shop.services)

    assert broken.calls == 1
    await shop.rested()
    shop.services.provider = fake.stripe()
    await shop.expire()
    assert fake.intents()[payment_id]["status"] == "canceled"
    assert await shop.status(order) == "EXPIRED"


async def test_a_round_ends_after_some_failures(shop, broken, monkeypatch):
    monkeypatch.setattr(provider_ends, "AT_A_TIME", 1)
    monkeypatch.setattr(provider_ends, "TOO_MANY", 2)
    for user in USERS[:4]:
        await shop.begin(await shop.reserve(user))
    shop.services.provider = Stripe(broken.url, KEY)
    await shop.ended(2)

    await shop.expire()

    assert broken.calls == 2


async def test_one_payment_that_fails_keeps_no_other_back(shop, fake):
    lost, order = await shop.reserve(USERS[0]), await shop.reserve(USERS[1])
    await shop.services.payment_attempts.begin(lost.id, "pi_of_another_account")
    payment_id = await shop.begin(order)

    await shop.ended(2)
    await shop.expire()

    assert fake.intents()[payment_id]["status"] == "canceled"
    assert [await shop.status(one) for one in (lost, order)] == ["RESERVED", "EXPIRED"]


async def test_the_payment_of_a_cancelled_order_is_cancelled(shop, fake):
    order, held = await shop.reserve(USERS[0]), await shop.reserve(USERS[1])
    payment_id, other = await shop.begin(order), await shop.begin(held)
    await shop.cancel(order)

    await shop.expire()

    intents = fake.intents()
    assert intents[payment_id]["status"] == "canceled"
    assert intents[other]["status"] == "requires_payment_method"
    assert await shop.attempt(order) is None


@pytest.mark.parametrize("ending", ["late", "cancelled", "wrong amount"])
async def test_a_payment_that_sold_nothing_is_refunded(shop, fake, ending):
    order = await shop.reserve()
    payment_id = await shop.begin(order)
    fake.pay(payment_id, times=0, amount=1 if ending == "wrong amount" else None)
    if ending == "cancelled":
        await shop.cancel(order)
    await shop.ended(16 if ending == "late" else 2)
    provider, shop.services.provider = shop.services.provider, None
    if ending == "late":
        await shop.expire()
    shop.services.provider = provider

    await shop.expire()
    assert await shop.decision(payment_id) == ("REFUND_DUE", ending)
    assert await shop.attempt(order) is None
    assert await refund_payments(shop.services) == 1

    assert fake.intents()[payment_id]["refunds"] == 1
    assert await shop.decision(payment_id) == ("REFUNDED", ending)
    assert await refund_payments(shop.services) == 0
    assert await shop.where() == UNTAKEN


async def due(shop, fake):
    order = await shop.reserve()
    payment_id = await shop.begin(order)
    await shop.cancel(order)
    fake.pay(payment_id, times=0)
    await shop.expire()
    assert await shop.decision(payment_id) == ("REFUND_DUE", "cancelled")
    return payment_id


async def test_a_process_that_dies_before_its_note_repeats_the_refund(shop, fake, monkeypatch):
    payment_id = await due(shop, fake)

    async def die(*_):
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(shop.services.payments, "mark_refunded", die)
        with pytest.raises(RuntimeError):
            await refund_payments(shop.services)
    assert fake.intents()[payment_id]["refunds"] == 1
    assert await refund_payments(shop.services) == 0, "the dead process's turn is not over"

    await shop.rested()
    assert await refund_payments(shop.services) == 1

    assert fake.intents()[payment_id]["refunds"] == 1
    assert await shop.decision(payment_id) == ("REFUNDED", "cancelled")


async def test_two_sweeps_at_once_refund_once(shop, fake):
    payment_id = await due(shop, fake)

    counts = await asyncio.gather(refund_payments(shop.services), refund_payments(shop.services))

    assert sorted(counts) == [0, 1]
    assert fake.intents()[payment_id]["refunds"] == 1


async def test_a_refund_that_fails_is_tried_again_after_a_pause(shop, fake, broken, caplog):
    payment_id = await due(shop, fake)
    shop.services.provider = Stripe(broken.url, KEY)

    assert [await refund_payments(shop.services) for _ in range(3)] == [0, 0, 0]

    assert broken.calls == 1
    assert f"payment {payment_id} is not refunded yet: status 500, api_error" in caplog.text
    assert KEY not in caplog.text
    await shop.rested()
    shop.services.provider = fake.stripe()
    assert await refund_payments(shop.services) == 1


async def test_a_payment_of_another_provider_is_left_to_a_person(shop, fake):
    order = await shop.reserve()
    await shop.cancel(order)
    await shop.pay(order, "by bank transfer")

    assert await refund_payments(shop.services) == 0

    assert await shop.decision(f"{order.id}/by bank transfer") == ("REFUND_DUE", "cancelled")


async def test_the_sweep_function_cancels_and_refunds(shop, fake, migrated, monkeypatch):
    monkeypatch.setenv("PROVIDER_URL", fake.url)
    monkeypatch.setenv("PROVIDER_KEY", KEY)
    payment_id = await due(shop, fake)
    order = await shop.reserve(USERS[1])
    other = await shop.begin(order)
    await shop.ended(2)

    await run_all_but_the_sweep(migrated, monkeypatch)

    assert fake.intents()[other]["status"] == "canceled"
    assert await shop.status(order) == "EXPIRED"
    assert await shop.decision(payment_id) == ("REFUNDED", "cancelled")
