"""What the exporter and the sweep function report of waiting rooms, and what trouble they see."""

import asyncio
import json

import pytest

from flashsale.domain.room_figures import RoomTrouble
from flashsale.domain.rooms import Admitted, Why
from flashsale.redis_store.scripts import Keys, QueueKeys
from flashsale_server.exporter.exporter import Exporter
from flashsale_server.exporter.sale import Sale
from tests.helpers.support import USERS, by_labels
from tests.helpers.unread_messages import Messages
from tests.integration.room_sale import buy, guard, now, pass_time
from tests.integration.sweep_function import run_all_but_the_sweep

UNITS = 10


class Shop:
    """A sale with a room that ten users have joined. It calls 60 a minute."""

    def __init__(self, services, product_id):
        self.services, self.product_id = services, product_id
        self.keys = Keys(product_id)

    async def open(self, **terms):
        await guard(self.services, self.product_id, UNITS, **{"max_rate": 60, **terms})
        for user in USERS[:10]:
            await self.services.rooms.join(self.product_id, user)
        return self

    async def look(self):
        """Look at the room as a client does, which calls."""
        queue = await self.services.rooms.look(self.product_id)
        return await self.services.rooms.advance(self.product_id, queue.callable, queue.epoch)

    async def call(self, seconds):
        """Let time pass, and look at the room."""
        await self.pass_time(seconds)
        return await self.look()

    async def pass_time(self, seconds):
        await pass_time(self.services, self.product_id, round(seconds * 1000))

    async def figures(self):
        return await self.services.rooms.measure(self.product_id)

    async def trouble(self):
        return (await self.figures()).trouble

    async def admit(self, *places):
        for place in places:
            answer = await self.services.rooms.admit(self.product_id, USERS[place], place, 1)
            assert isinstance(answer, Admitted)

    async def be_late(self, seconds):
        """Write a claim of an earlier time into the ledger, or make the one that is there older."""
        at = await now(self.services) - seconds * 1000
        await self.services.redis.delete(self.keys.ledger)
        await self.services.redis.xadd(self.keys.ledger, {"u": "u", "q": 1, "c": ""}, f"{at}-0")

    async def contents(self):
        """Return all that Redis has of the product and its room."""
        redis, found = self.services.redis, {}
        for tag in (self.product_id, f"{self.product_id}~room"):
            async for key in redis.scan_iter(f"{{{tag}}}:*"):
                found[key] = await redis.execute_command("DUMP", key, NEVER_DECODE=True)
        return found


@pytest.fixture
async def shop(services, new_product):
    return Shop(services, await new_product(UNITS, on_sale=False))


async def test_a_product_without_a_room_has_no_figures(services, new_product):
    product_id = await new_product(5)

    assert await services.rooms.measure(product_id) is None
    assert await services.rooms.measure("never-on-sale") is None


async def test_the_figures_are_those_of_the_last_look(shop):
    await shop.open(max_inside=5)
    door = await shop.call(2)
    await shop.admit(0, 1)
    await buy(shop.services, shop.product_id, USERS[0])

    figures = await shop.figures()

    assert (figures.issued, figures.serving, figures.waiting) == (10, door.serving, 8)
    assert (figures.inside, figures.max_inside, figures.admitted) == (1, 5, 2)
    assert (figures.rate, figures.max_rate, figures.units) == (1, 1, 9)
    assert (figures.why, figures.ended, figures.opened, figures.lost) == (
        Why.RATE, False, True, False
    )  # fmt: skip


async def test_measuring_changes_nothing(shop):
    await shop.open(admission_seconds=60)
    await shop.call(2)
    await shop.admit(0)
    await shop.pass_time(61)
    before = await shop.contents()

    figures = await shop.figures()

    assert figures.inside == 0, "an admission that ran out, and is still there"
    assert figures.since_look >= 61
    assert 60 <= figures.since_call <= figures.since_look
    assert await shop.contents() == before
    assert len(before) > 5


async def test_a_prequeue_waits_and_is_not_in_trouble(shop):
    await shop.open(opens_in=3600)
    await shop.pass_time(3000)

    figures = await shop.figures()

    assert (figures.waiting, figures.opened, figures.trouble) == (10, False, None)


async def test_a_room_that_opens_has_not_been_without_calls_before(shop):
    await shop.open(opens_in=3600)
    await shop.pass_time(3601)

    figures = await shop.figures()

    assert figures.opened
    assert 1 <= figures.since_call < 60
    assert figures.trouble is None


async def test_a_room_that_could_call_and_does_not_is_stuck(shop):
    await shop.open()
    await shop.call(2)
    await shop.pass_time(270)
    assert await shop.trouble() is None

    await shop.pass_time(35)
    assert await shop.trouble() is RoomTrouble.STUCK

    await shop.look()
    assert await shop.trouble() is None


async def test_a_room_that_has_nobody_to_call_or_nothing_to_sell_is_not_stuck(shop):
    await shop.open(max_inside=2, admission_seconds=7200)
    await shop.call(2)
    await shop.admit(0, 1)
    await shop.call(3600)
    full = await shop.figures()
    await shop.services.rooms.leave(shop.product_id, USERS[0])
    assert await shop.trouble() is RoomTrouble.STUCK

    await shop.services.redis.set(shop.keys.stock, 0)
    sold_out = await shop.trouble()
    await shop.services.redis.set(shop.keys.stock, 9)
    await shop.services.redis.hset(shop.keys.door, "serving", 10)
    called = await shop.figures()

    assert (full.inside, full.why, full.trouble) == (2, Why.INSIDE, None)
    assert sold_out is None
    assert (called.waiting, called.trouble) == (0, None)


async def test_a_room_with_as_many_inside_as_find_something_is_not_stuck(shop):
    await shop.open(admission_seconds=7200)
    await shop.call(10)
    await shop.call(10)
    await shop.admit(0, 1, 2)
    await shop.services.redis.set(shop.keys.stock, 2)
    await shop.pass_time(3600)

    assert await shop.trouble() is None
    await shop.services.redis.set(shop.keys.stock, 3)
    assert await shop.trouble() is RoomTrouble.STUCK


async def test_a_long_pause_of_the_room_is_trouble(shop):
    await shop.open()
    await shop.call(2)
    await shop.services.rooms.set_paused(shop.product_id, paused=True)
    await shop.pass_time(890)
    short = await shop.figures()
    await shop.pass_time(15)

    assert (short.why, short.trouble) == (Why.PAUSED, None)
    assert await shop.trouble() is RoomTrouble.PAUSED


async def test_a_long_pause_of_the_sale_is_trouble_and_its_end_is_not(shop):
    await shop.open()
    await shop.call(2)
    await shop.services.stock.pause_sale(shop.product_id)
    await shop.pass_time(1000)
    paused = await shop.figures()
    await shop.services.redis.hset(shop.keys.sale, "state", "ended")
    ended = await shop.figures()

    assert (paused.why, paused.units, paused.trouble) == (Why.PAUSED, UNITS, RoomTrouble.PAUSED)
    assert (ended.ended, ended.waiting, ended.trouble) == (True, 0, None)


async def test_late_orders_that_keep_the_rate_at_the_floor_are_trouble(shop):
    await shop.open(max_rate=600)
    await shop.services.redis.hset(QueueKeys(shop.product_id).room, "issued", 1000)
    await shop.be_late(10)
    found = []
    for _ in range(12):
        door = await shop.call(1)
        found.append((door.rate, await shop.trouble()))

    assert found[0] == (7, None), "slower, and it calls"
    assert found[-1] == (0.5, RoomTrouble.PAUSED)
    assert (await shop.figures()).why is Why.PIPELINE
    await shop.services.redis.delete(shop.keys.ledger)
    assert await shop.trouble() is None, "no order is late any more"


async def test_a_room_that_may_call_no_faster_is_not_held_up_by_late_orders(shop):
    await shop.open(max_rate=30)
    await shop.be_late(10)
    await shop.call(2)

    figures = await shop.figures()

    assert (figures.rate, figures.max_rate, figures.trouble) == (0.5, 0.5, None)


async def test_a_room_whose_queue_is_lost_is_stuck(shop):
    await shop.open()
    await shop.call(2)
    await shop.services.redis.delete(QueueKeys(shop.product_id).room)

    figures = await shop.figures()

    assert (figures.lost, figures.waiting, figures.trouble) == (True, 0, RoomTrouble.STUCK)


async def test_the_exporter_shows_rooms(shop):
    await shop.open(max_inside=5)
    await shop.call(2)
    await shop.admit(0, 1)
    await shop.pass_time(400)
    sale = Sale(shop.services, Messages(0))

    families = await Exporter({"claims": sale.read_claims}, asyncio.get_running_loop()).scrape()

    seen, product = by_labels(families, shop.product_id), shop.product_id
    shown = {name: value for (name, *_), value in seen.items() if name.startswith("room_")}
    assert 399 <= shown.pop("room_last_call_seconds") < 500  # calls are noted by the second
    assert 400 <= shown.pop("room_last_look_seconds") < 500
    assert {name: shown[name] for name in shown if not name.endswith(("why", "trouble"))} == {
        "room_waiting_users": 8, "room_inside_users": 0, "room_max_inside_users": 5,
        "room_issued_places": 10, "room_called_places": 2, "room_admissions_total": 2,
        "room_calls_per_minute": 60, "room_max_calls_per_minute": 60,
    }  # fmt: skip
    why = {key[2]: value for key, value in seen.items() if key[0] == "room_why"}
    assert why == {reason.value: float(reason is Why.RATE) for reason in Why}
    assert seen["room_trouble", product, "stuck"] == 1
    assert seen["room_trouble", product, "paused"] == 0


async def test_the_sweep_function_measures_rooms(shop, migrated, monkeypatch, capsys, caplog):
    await shop.open()
    await shop.call(2)
    await shop.pass_time(400)
    door = await shop.services.redis.hgetall(shop.keys.door)

    # Without an emulator, SQS does not answer. Its figures are missing, and no others.
    await run_all_but_the_sweep(migrated, monkeypatch)

    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    measured = {name: value for line in printed for name, value in line.items()}
    assert measured["RoomsStuck"][0] >= 1
    assert measured["RoomsPaused"][0] >= 0
    assert measured["RoomUsersWaiting"][0] >= 8
    assert measured["RoomUsersInside"][0] >= 0
    (said,) = [row for row in caplog.records if getattr(row, "room", "") == shop.product_id]
    assert (said.waiting, said.calls_a_minute, said.why, said.trouble) == (8, 60, "rate", "stuck")
    assert await shop.services.redis.hgetall(shop.keys.door) == door
