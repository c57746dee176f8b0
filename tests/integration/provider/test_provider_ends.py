"""How the sweep ends holds whose buyers began to pay; at the fake provider."""

from flashsale.provider.stripe import Stripe
from flashsale.redis_store.stock import EXPIRER
from flashsale.usecases import provider_ends
from flashsale_server.edge.background import _expire_in_turn
from tests.helpers.fake_provider import KEY
from tests.helpers.support import USERS, until
from tests.integration.provider_shop import refund_due
from tests.integration.sweep_function import run_all_but_the_sweep

UNTAKEN = (10, 0, 0, 0)


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


async def test_no_hold_waits_for_a_payment_in_progress(shop, fake):
    late = await shop.reserve(units=2)
    in_progress = await shop.begin(late)
    fake.pay(in_progress, processing=3600, times=0)

    await shop.ended(2)
    await shop.expire()
    assert (await shop.status(late), await shop.attempt(late)) == ("EXPIRED", in_progress)

    # It has not kept the turn, in which other payments are cancelled.
    order = await shop.reserve(USERS[1])
    other = await shop.begin(order)
    await shop.ended(2)
    await shop.expire()
    assert fake.intents()[other]["status"] == "canceled"
    assert (await shop.status(order), await shop.where()) == ("EXPIRED", UNTAKEN)


async def test_a_payment_that_was_in_progress_too_long_is_refunded(shop, fake):
    order = await shop.reserve()
    payment_id = await shop.begin(order)
    fake.pay(payment_id, processing=5, times=0)
    await shop.ended(2)
    await shop.expire()

    async def decided():
        await shop.expire()
        return await shop.decision(payment_id)

    assert await until(decided) == ("REFUND_DUE", "late")
    await provider_ends.refund_payments(shop.services)
    assert fake.intents()[payment_id]["refunds"] == 1
    assert (await shop.status(order), await shop.where()) == ("EXPIRED", UNTAKEN)


async def test_the_payment_of_a_cancelled_order_is_cancelled(shop, fake):
    order, held = await shop.reserve(USERS[0]), await shop.reserve(USERS[1])
    payment_id, other = await shop.begin(order), await shop.begin(held)
    await shop.cancel(order)

    await shop.expire()

    intents = fake.intents()
    assert intents[payment_id]["status"] == "canceled"
    assert intents[other]["status"] == "requires_payment_method"
    assert await shop.attempt(order) is None


async def test_the_sweep_function_cancels_and_refunds(shop, fake, migrated, monkeypatch):
    monkeypatch.setenv("PROVIDER_URL", fake.url)
    monkeypatch.setenv("PROVIDER_KEY", KEY)
    payment_id = await refund_due(shop, fake)
    order = await shop.reserve(USERS[1])
    other = await shop.begin(order)
    await shop.ended(2)

    await run_all_but_the_sweep(migrated, monkeypatch)

    assert fake.intents()[other]["status"] == "canceled"
    assert await shop.status(order) == "EXPIRED"
    assert await shop.decision(payment_id) == ("REFUNDED", "cancelled")
