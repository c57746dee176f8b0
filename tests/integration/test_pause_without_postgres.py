"""A pause while PostgreSQL is down: it takes effect, and the audit has it once afterwards."""

import asyncio

import pytest

from flashsale.domain.model import Declined, Refusal
from flashsale.domain.pauses import UnrecordedPause
from flashsale.errors import DatabaseUnavailable, StockUnavailable
from flashsale.postgres_store.audit import Action
from flashsale.redis_store.scripts import Keys
from flashsale.usecases import admin
from flashsale.usecases.pauses import list_unrecorded, pause_unrecorded, record_pauses
from flashsale.usecases.rebuild import rebuild
from flashsale_server.edge import background
from tests.helpers.admin_desk import audit_of, books_of, claim, dies, pause_of, stock_of
from tests.integration.sweep_function import run_all_but_the_sweep


async def field_of(services, product_id):
    return await services.redis.hgetall(Keys(product_id).unrecorded)


@pytest.fixture
async def paused(services, new_product):
    """Return a product of 10 units, one claimed, whose sale was paused without PostgreSQL."""
    product_id = await new_product(10)
    await claim(services, product_id)
    await pause_unrecorded(services, pause_of(product_id))
    return product_id


async def test_it_stops_claims_at_once_and_loses_no_unit(services, paused):
    assert await claim(services, paused) is Refusal.SALE_NOT_OPEN
    assert await stock_of(services, paused) == 9
    assert not await audit_of(services, paused)
    (record,) = await list_unrecorded(services, [paused])
    assert (record.who, record.arguments) == ("cli ops", {"reason": "wrong price"})
    await books_of(services, paused)


@pytest.mark.parametrize("generation", [1, 2, 3, 4, 5])
async def test_each_generation_obeys(services, new_product, generation):
    product_id = await new_product(10)

    await pause_unrecorded(services, pause_of(product_id))

    if generation == 5:
        refused = await claim(services, product_id)
    else:
        quantity = 0 if generation < 3 else 1
        refused = await services.stock.decrement(product_id, quantity, generation)
    assert refused is Refusal.SALE_NOT_OPEN


async def test_the_audit_has_it_once_with_the_time_of_its_effect(services, paused):
    (record,) = await list_unrecorded(services, [paused])

    assert await record_pauses(services, [paused]) == 1
    assert await record_pauses(services, [paused]) == 0

    (entry,) = await audit_of(services, paused)
    assert (entry.who, entry.action, entry.outcome) == ("cli ops", "pause", "done")
    assert (entry.arguments, entry.idempotency_key) == (
        {"reason": "wrong price"},
        f"k-{paused}",
    )
    assert (entry.correlation_id, entry.begun_at) == ("corr-1", record.at)
    assert entry.ended_at >= entry.begun_at
    assert not await field_of(services, paused)


@pytest.mark.parametrize("after", [False, True], ids=["before-the-row", "after-the-row"])
async def test_a_death_while_the_audit_is_completed(services, paused, monkeypatch, after):
    dies(monkeypatch, services.audit, "record_late", DatabaseUnavailable, after=after)

    with pytest.raises(DatabaseUnavailable):
        await record_pauses(services, [paused])
    assert len(await list_unrecorded(services, [paused])) == 1
    await record_pauses(services, [paused])

    assert [e.outcome for e in await audit_of(services, paused)] == ["done"]
    assert not await list_unrecorded(services, [paused])


async def test_a_death_before_redis_drops_the_record(services, paused, monkeypatch):
    dies(monkeypatch, services.unrecorded_pauses, "drop", StockUnavailable, after=False)

    with pytest.raises(StockUnavailable):
        await record_pauses(services, [paused])
    await record_pauses(services, [paused])

    assert len(await audit_of(services, paused)) == 1


async def test_concurrent_sweeps_write_one_row(services, paused):
    await asyncio.gather(*(record_pauses(services, [paused]) for _ in range(8)))

    assert len(await audit_of(services, paused)) == 1
    assert not await list_unrecorded(services, [paused])


async def test_a_resume_before_the_audit_is_complete_keeps_the_record(desk, services, paused):
    assert (await desk.act(paused, "resume")).json()["state"] == "open"
    await record_pauses(services, [paused])

    actions = [e.action for e in await audit_of(services, paused)]
    assert actions == ["resume", "pause"], "newest first, by the time of the effect"
    assert (await services.ledger.snapshot(paused, count_claims=True)).state == "open"


async def test_a_rebuild_keeps_the_record(services, paused):
    await services.redis.delete(Keys(paused).ledger)

    await rebuild(services, [paused], lambda: 0, deadline=30, grace=0)

    assert len(await list_unrecorded(services, [paused])) == 1


async def test_repeating_the_request_is_the_same_action(services, without, paused):
    again = await admin.pause_sale(without("database_url"), pause_of(paused))
    assert isinstance(again, UnrecordedPause)
    await record_pauses(services, [paused])
    assert await admin.pause_sale(services, pause_of(paused)) is None

    assert len(await audit_of(services, paused)) == 1


async def test_a_row_that_was_begun_is_ended(services, new_product, monkeypatch):
    """PostgreSQL dies after the row was committed: the answer of `begin` or of `end` is lost."""
    for method, after in (("begin", True), ("end", False), ("end", True)):
        product_id = await new_product(10)
        dies(monkeypatch, services.audit, method, DatabaseUnavailable, after=after)

        result = await admin.pause_sale(services, pause_of(product_id))
        await record_pauses(services, [product_id])

        assert isinstance(result, UnrecordedPause)
        assert [e.outcome for e in await audit_of(services, product_id)] == ["done"], method


async def test_a_key_of_another_action_hides_no_pause(services, without, new_product):
    product_id = await new_product(10)
    restock = Action("cli ops", "restock", product_id, {"units": 1}, "corr-0", "k-7")
    await admin.restock(services, restock, 1)

    await admin.pause_sale(without("database_url"), pause_of(product_id, "k-7"))
    await record_pauses(services, [product_id])
    await record_pauses(services, [product_id])

    assert [e.action for e in await audit_of(services, product_id)] == ["pause", "restock"]


async def test_a_refused_pause_leaves_no_record(services, without, new_product):
    never, ended = await new_product(10, on_sale=False), await new_product(10)
    await services.stock.pause_sale(ended, "ended")
    blind = without("database_url")

    assert await admin.pause_sale(blind, pause_of(never)) is Declined.NO_SALE
    assert await admin.pause_sale(blind, pause_of(ended)) is Declined.SALE_ENDED

    assert not await list_unrecorded(services, [never, ended])


async def test_a_slow_postgresql_does_not_delay_a_pause(services, new_product, monkeypatch):
    product_id = await new_product(10)
    monkeypatch.setattr(admin, "RECORD_TIME", 0.2)

    async with services.database.transaction() as connection:
        await connection.execute("LOCK TABLE admin_actions")
        result = await admin.pause_sale(services, pause_of(product_id))
    await record_pauses(services, [product_id])

    assert isinstance(result, UnrecordedPause)
    assert [e.outcome for e in await audit_of(services, product_id)] == ["done"]


@pytest.mark.parametrize("action", ["resume", "end"])
async def test_no_other_action_goes_without_postgresql(
    desk, services, without, new_product, action
):
    product_id = await new_product(10)
    await desk.act(product_id, "pause")
    desk.services = without("database_url")

    answer = await desk.act(product_id, action)

    assert answer.status_code == 503
    assert (await services.ledger.snapshot(product_id, count_claims=True)).state == "paused"


async def test_the_admin_api_answers_202(desk, services, without, new_product):
    product_id = await new_product(10)
    desk.services = without("database_url")

    answer = await desk.act(product_id, "pause", key="night-1")
    desk.services = services
    await record_pauses(services, [product_id])
    again = await desk.act(product_id, "pause", key="night-1")

    assert (answer.status_code, answer.json()["state"]) == (202, "paused")
    assert again.status_code == 200
    (entry,) = await desk.audit_of(product_id)
    assert (entry.who, entry.idempotency_key) == ("boss", "night-1")


async def test_the_sweep_of_the_asgi_edge_completes_the_audit(services, paused, monkeypatch):
    await services.redis.delete("sweeper")
    monkeypatch.setattr(background, "sweep", lambda _: asyncio.sleep(0, 0))

    await background._sweep_in_turn(services, 60)

    assert len(await audit_of(services, paused)) == 1


async def test_the_sweep_function_completes_the_audit(services, migrated, paused, monkeypatch):
    await run_all_but_the_sweep(migrated, monkeypatch)

    assert [e.outcome for e in await audit_of(services, paused)] == ["done"]
