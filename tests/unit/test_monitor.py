"""The verdict of the live page on the books of a sale."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from flashsale.domain.claims import Snapshot
from flashsale.domain.waiting import NOTHING
from flashsale.errors import StockUnavailable
from flashsale_local.live_page.queue_look import QueueLook
from flashsale_local.live_page.reading import _without_postgres, read
from flashsale_local.live_page.verdict import Status, is_at_rest
from flashsale_server.queues.inspection import InQueues
from tests.unit.live_page_books import (
    HELD,
    NEW,
    V1,
    V1_HALF,
    V3_LOST,
    V4_DARK,
    V5,
    reading_of,
    verdict_on,
)


@pytest.mark.parametrize(
    ("books", "status", "headline"),
    [
        (NEW, Status.GOOD, "Every unit is accounted for"),
        (V1, Status.BAD, "27 units oversold"),
        (V1_HALF, Status.BAD, "20 units sold and still in stock"),
        (V3_LOST, Status.BAD, "24 units lost"),
        (replace(V3_LOST, confirmed=59), Status.BAD, "1 unit lost"),
        (V4_DARK, Status.GOOD, "Every unit is accounted for"),
    ],
)
def test_a_sale_at_rest_is_judged(books, status, headline):
    verdict = verdict_on(reading_of(books), reading_of(books))

    assert (verdict.status, verdict.headline) == (status, headline)


@pytest.mark.parametrize(
    ("books", "status"),
    [(V1, Status.BAD), (V3_LOST, Status.UNKNOWN), (NEW, Status.UNKNOWN), (V5, Status.GOOD)],
)
def test_while_it_sells_only_oversold_units_and_v5_are_judged(books, status):
    assert verdict_on(reading_of(books), reading_of(books), buying=True).status is status
    assert verdict_on(reading_of(books), None).status is status
    before = replace(books, cancelled=1)
    assert verdict_on(reading_of(books), reading_of(before)).status is status


def test_the_sum_is_shown_and_marked_when_it_is_out_of_date():
    now = reading_of(V4_DARK, down=("PostgreSQL",))

    detail = verdict_on(now, now).detail

    assert detail.startswith("60 units = 0 in stock + 60 on the way + 0 confirmed.")
    assert "last known" in detail
    assert "60 units ≠ 0 in stock + 0 on the way + 36 confirmed" in (
        verdict_on(reading_of(V3_LOST), reading_of(V3_LOST)).detail
    )


def test_without_postgres_v4s_last_orders_may_be_written_and_v3s_are_lost():
    dark = reading_of(replace(NEW, redis_stock=20, confirmed=37), down=("PostgreSQL",))

    v4, v3 = (verdict_on(dark, dark, queued=queued) for queued in (True, False))

    assert v4.status is Status.NO_ANSWER
    assert "The last orders in PostgreSQL were not read" in v4.detail
    assert (v3.status, v3.headline) == (Status.BAD, "3 units lost")


def test_thousands_are_separated():
    many = replace(NEW, initial=12345, redis_stock=12345)

    detail = verdict_on(reading_of(many), reading_of(many)).detail

    assert detail == "12,345 units = 12,345 in stock + 0 on the way + 0 confirmed."


def test_a_green_headline_has_a_sum_that_balances():
    # 5 of the 30 claims on the way have an order in PostgreSQL but are not settled yet.
    ahead = reading_of(replace(V5, confirmed=15))

    verdict = verdict_on(ahead, None, buying=True, queued=True)

    assert verdict.status is Status.GOOD
    assert verdict.detail == "60 units = 20 in stock + 30 on the way + 10 confirmed."


async def test_in_an_outage_v5_counts_settled_claims_and_older_orders():
    again = replace(NEW, generations=(5,), redis_stock=40, confirmed=20, ledger=V5.ledger)
    now = Snapshot(35, 0, 40, 5, 5, 0, 0)  # stock, unsettled, initial, accepted, settled

    async def snapshot(product_id, *, count_claims):
        return now

    services = SimpleNamespace(ledger=SimpleNamespace(snapshot=snapshot))

    books = await _without_postgres(services, again, NOTHING)

    assert books.confirmed == 25
    assert verdict_on(reading_of(books), reading_of(books)).status is Status.GOOD


def test_held_units_are_in_the_sum_and_green():
    verdict = verdict_on(reading_of(HELD), None, buying=True, queued=True)

    assert verdict.status is Status.GOOD
    assert verdict.detail == (
        "60 units = 20 in stock + 5 on the way + 25 held until paid + 10 confirmed. "
        "4 were not paid in time, and came back to the stock."
    )
    settled = reading_of(HELD)
    for moved in (replace(HELD, expired=5), replace(HELD, reserved=24)):
        assert not is_at_rest(reading_of(moved), settled, buying=False)


async def test_in_an_outage_the_ledger_tells_what_is_held():
    """Orders that became RESERVED after the last reading are in Redis' holds."""
    last = replace(HELD, reserved=20, confirmed=10)

    async def snapshot(product_id, *, count_claims):
        return HELD.ledger

    services = SimpleNamespace(ledger=SimpleNamespace(snapshot=snapshot))

    books = await _without_postgres(services, last, NOTHING)

    assert (books.reserved, books.imbalance) == (25, 0)
    seen = reading_of(books, down=("PostgreSQL",))
    assert verdict_on(seen, seen).status is Status.GOOD


def test_an_old_reading_gives_no_verdict():
    assert verdict_on(reading_of(V5), reading_of(V5), age=9).status is Status.GOOD

    verdict = verdict_on(reading_of(V5), reading_of(V5), age=11)

    assert (verdict.status, verdict.detail) == (Status.NO_ANSWER, "The last reading is 11 s old.")


def test_parked_units_are_in_the_sum_and_not_green():
    parked = replace(NEW, generations=(4,), redis_stock=50, confirmed=7, in_parking=2, waiting=1)

    verdict = verdict_on(reading_of(parked), reading_of(parked))

    assert (verdict.status, verdict.headline) == (Status.UNKNOWN, "2 units parked")
    assert verdict.detail.startswith(
        "60 units = 50 in stock + 1 on the way + 2 parked + 7 confirmed."
    )
    before = replace(parked, in_parking=0, waiting=3)
    assert verdict_on(reading_of(parked), reading_of(before)).headline == "Selling", (
        "one was parked since"
    )


def test_without_books_there_is_nothing_to_judge():
    verdict = verdict_on(reading_of(None), None)

    assert (verdict.status, verdict.detail) == (Status.UNKNOWN, "There is no sale yet.")


@pytest.mark.parametrize(
    ("down", "headline"),
    [
        (("Redis",), "Redis does not answer"),
        (("PostgreSQL",), "PostgreSQL does not answer"),
        (("Redis", "PostgreSQL"), "Redis and PostgreSQL do not answer"),
    ],
)
def test_the_headline_names_a_store_that_does_not_answer(down, headline):
    verdict = verdict_on(reading_of(None, down=down), reading_of(V5))

    assert (verdict.status, verdict.headline) == (Status.NO_ANSWER, headline)
    assert verdict.detail.startswith("It is unknown where the units are.")


def test_v2s_units_are_unknown_without_postgresql():
    v2 = replace(NEW, generations=(2,), redis_stock=None, postgres_stock=20, confirmed=40)
    dark = reading_of(v2, down=("PostgreSQL",))

    verdict = verdict_on(dark, dark)

    assert (verdict.status, verdict.headline) == (Status.NO_ANSWER, "PostgreSQL does not answer")
    assert "60 units = 20 in stock + 0 on the way + 40 confirmed" in verdict.detail


async def test_both_stores_that_do_not_answer_are_named():
    async def down(product_id, *, count_claims):
        raise StockUnavailable("closed")

    services = SimpleNamespace(ledger=SimpleNamespace(snapshot=down))

    seen = await read(services, "p", V5, QueueLook(1.0, InQueues({}, [])), postgres_up=False)

    assert (seen.books, seen.down) == (None, ("Redis", "PostgreSQL"))
