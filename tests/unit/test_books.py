"""The arithmetic of `flashsale verify`."""

from dataclasses import replace

import pytest

from flashsale.domain.claims import Snapshot
from flashsale.usecases.books import Books


def books(**figures):
    defaults = {
        "product_id": "p",
        "generations": (4,),
        "initial": 10,
        "redis_stock": 4,
        "postgres_stock": 4,
        "confirmed": 6,
        "cancelled": 0,
    }
    return Books(**{**defaults, **figures})


def test_books_balance_when_each_unit_is_in_one_place():
    assert books().balanced
    assert not books().broken


def test_units_in_no_place_are_lost():
    row = books(redis_stock=3)

    assert (row.lost, row.imbalance, row.broken) == (1, 1, True)


def test_units_in_two_places_are_an_imbalance_and_not_lost():
    row = books(redis_stock=5)

    assert (row.lost, row.imbalance, row.broken) == (0, -1, True)


def test_more_confirmed_units_than_the_initial_stock_are_oversold():
    row = books(redis_stock=0, confirmed=12)

    assert (row.oversold, row.broken) == (2, True)


def test_at_most_as_many_units_are_on_their_way_as_messages_wait():
    assert books(redis_stock=3, waiting=5).unsettled == 1
    assert books(redis_stock=3, waiting=5).balanced
    assert books(redis_stock=1, waiting=2).lost == 1


def on_ledger(*, stock=4, unsettled=0, settled=6, initial=10, **figures):
    ledger = Snapshot(stock, unsettled, initial, settled + unsettled, settled, 0, unsettled)
    return books(generations=(5,), redis_stock=stock, ledger=ledger, **figures)


@pytest.mark.parametrize(
    ("row", "lost"),
    [
        (on_ledger(), 0),
        (on_ledger(stock=3), 1),
        (on_ledger(confirmed=5, postgres_stock=5), 1),  # cancelled in PostgreSQL but not in Redis
        (on_ledger(initial=8, settled=4), 0),  # 2 units were sold before this sale
        (on_ledger(initial=8, settled=4, confirmed=5, postgres_stock=5), 1),  # one of these two
        (on_ledger(confirmed=9), 0),  # confirmed since Redis was read
        (on_ledger(stock=3, unsettled=1), 0),
        (on_ledger(stock=3, unsettled=1, confirmed=7), 0),  # confirmed but not settled yet
    ],
)
def test_units_that_v5_lost(row, lost):
    assert (row.lost, row.broken) == (lost, lost > 0)


def test_an_order_without_a_claim_is_found_at_rest():
    row = on_ledger(confirmed=9, at_rest=True)

    assert (row.imbalance, row.lost, row.broken) == (-3, 0, True)


def test_units_that_only_postgres_has_are_lost():
    restocked = replace(on_ledger(), initial=15, postgres_stock=9)

    assert (restocked.lost, restocked.broken) == (5, True)


def test_v1_and_v2_sell_from_postgres():
    assert books(generations=(2,), redis_stock=None, postgres_stock=4).balanced
    assert books(generations=(2,), redis_stock=None, postgres_stock=3).lost == 1


def test_v2_sells_from_postgres_even_where_a_sale_is_open_in_redis():
    assert books(generations=(2,), redis_stock=10, postgres_stock=4).balanced


@pytest.mark.parametrize(
    ("generations", "broken"),
    [((1,), False), ((3,), False), ((2,), True), ((4,), True), ((1, 4), False), ((), True)],
)
def test_only_generations_that_promise_balanced_books_can_break_them(generations, broken):
    row = books(generations=generations, redis_stock=3, postgres_stock=3)

    assert row.broken is broken
