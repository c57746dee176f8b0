"""A store's clock steps by an hour. That of PostgreSQL alone ends holds."""

import time

import pytest

from flashsale.domain.payments import Decision, RefundReason
from tests.faults.clocks import clock_of
from tests.faults.holds.checks import all_has_ended
from tests.helpers.support import USERS, until

HOUR = 3600


@pytest.fixture
def valkey_clock(stores):
    with clock_of(stores.stack, stores.stack.redis) as file:
        yield file


@pytest.fixture
def postgresql_clock(stores):
    with clock_of(stores.stack, stores.stack.database) as file:
        yield file


async def set_clock(file, offset, read):
    file.write_text(f"{offset:+}")

    async def stepped():
        return abs(await read() - time.time() - offset) < HOUR / 2

    await until(stepped)


@pytest.mark.parametrize("offset", [HOUR, -HOUR])
async def test_no_hold_moves_with_valkeys_clock(valkey_clock, shop, offset):
    kept, paid, late = [await shop.reserve(user) for user in USERS[:3]]

    async def read():
        return (await shop.services.redis.time())[0]

    await set_clock(valkey_clock, offset, read)
    assert await shop.expire() == 0
    assert (await shop.status(kept), await shop.where()) == ("RESERVED", (297, 0, 3, 0))
    assert (await shop.pay(paid)).decision is Decision.APPLIED
    await shop.execute(
        "UPDATE orders SET expires_at = now() - interval '1 hour' WHERE id = %s", late.id
    )
    assert await shop.expire() == 1, "it has ended by PostgreSQL's clock"
    assert await shop.where() == (298, 0, 1, 1)

    await set_clock(valkey_clock, 0, read)
    payments = await all_has_ended(shop, confirmed=1)
    assert list(payments.values()) == [("APPLIED", None)]


async def test_postgresqls_clock_steps(postgresql_clock, shop):
    """Holds end early, and late payments are refunded; or holds last longer."""
    paid, late = [await shop.reserve(user) for user in USERS[:2]]
    await shop.pay(paid)

    async def read():
        rows = await shop.execute("SELECT extract(epoch FROM clock_timestamp()) AS now")
        return float(rows[0]["now"])

    await set_clock(postgresql_clock, HOUR, read)
    assert await shop.expire() == 1
    assert (await shop.pay(late)).why is RefundReason.LATE
    longer, unpaid = [await shop.reserve(user) for user in USERS[2:4]]
    await set_clock(postgresql_clock, 0, read)
    assert await shop.where() == (297, 0, 2, 1)
    await shop.execute(
        "UPDATE orders SET expires_at = now() - interval '10 minutes' WHERE id = %s OR id = %s",
        longer.id,
        unpaid.id,
    )
    await set_clock(postgresql_clock, -HOUR, read)
    assert await shop.expire() == 0, "by this clock they have not ended"
    assert (await shop.pay(longer)).decision is Decision.APPLIED

    await set_clock(postgresql_clock, 0, read)
    assert await shop.expire() == 1
    assert await shop.status(unpaid) == "EXPIRED"
    payments = await all_has_ended(shop, confirmed=2)
    assert sorted(payments.values(), key=str) == [
        ("APPLIED", None), ("APPLIED", None), ("REFUND_DUE", "late"),
    ]  # fmt: skip
