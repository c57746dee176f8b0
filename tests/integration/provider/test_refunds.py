"""How the sweep refunds payments that sold nothing; at the fake provider."""

import asyncio

import pytest

from flashsale.domain.payments import Payment
from flashsale.provider.stripe import Stripe
from flashsale.usecases import provider_ends
from flashsale.usecases.holds import pay
from flashsale.usecases.provider_ends import refund_payments
from tests.helpers.fake_provider import KEY
from tests.helpers.support import USERS
from tests.integration.held_shop import PRICE
from tests.integration.provider_shop import refund_due

UNTAKEN = (10, 0, 0, 0)


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


async def test_a_process_that_dies_before_its_note_repeats_the_refund(shop, fake, monkeypatch):
    payment_id = await refund_due(shop, fake)

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
    payment_id = await refund_due(shop, fake)

    counts = await asyncio.gather(refund_payments(shop.services), refund_payments(shop.services))

    assert sorted(counts) == [0, 1]
    assert fake.intents()[payment_id]["refunds"] == 1


async def test_a_refund_that_fails_is_tried_again_after_a_pause(shop, fake, broken, caplog):
    payment_id = await refund_due(shop, fake)
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


async def refused(shop):
    """Return a payment that is to be refunded and that the provider does not know."""
    order = await shop.reserve(USERS[1])
    await shop.cancel(order)
    payment_id = f"pi_of_another_account_{order.id.partition(':')[2]}"
    await pay(shop.services, Payment(payment_id, order.id, PRICE, "EUR"))
    return payment_id


async def test_a_refused_refund_holds_up_no_other(shop, fake, monkeypatch, caplog):
    monkeypatch.setattr(provider_ends, "AT_A_TIME", 1)
    monkeypatch.setattr(provider_ends, "TOO_MANY", 1)
    never = [await refused(shop) for _ in range(3)]

    for _ in range(2):
        payment_id = await refund_due(shop, fake)
        assert await refund_payments(shop.services) == 1
        assert await shop.decision(payment_id) == ("REFUNDED", "cancelled")

    assert [await shop.decision(one) for one in never] == [("REFUND_DUE", "cancelled")] * 3
    for one in never:
        assert caplog.text.count(f"payment {one} is not refunded yet: status 404") == 2


async def test_if_all_refunds_are_refused_the_next_round_comes_later(shop, caplog):
    payment_id = await refused(shop)

    for _ in range(3):
        assert await refund_payments(shop.services) == 0

    assert caplog.text.count(f"payment {payment_id} is not refunded yet") == 1
