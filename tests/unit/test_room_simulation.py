"""The simulation of a waiting room: crowds whose course can be computed by hand, and limits."""

from dataclasses import replace

import pytest

from flashsale.domain.rooms import Why
from flashsale_desk.waiting_room.crowd import Crowd
from flashsale_desk.waiting_room.simulation import Pipeline, simulate

# One is called a second, who comes and buys at once.
PROMPT = Crowd(
    people=100, units=10, no_shows=0, per_minute=60, seconds_to_come=0, seconds_to_buy=0
)  # fmt: skip
BUSY = Crowd(people=20_000, units=500, no_shows=0.6, per_minute=600)


def test_prompt_buyers_are_served_one_a_second():
    found = simulate(PROMPT)

    assert found.sold_out_at == 10_000
    assert found.waits == [1000 * n for n in range(1, 11)]
    assert (found.wait(0.5), found.wait(0.95)) == (5000, 10_000)
    assert (found.called, found.refused, found.still_waiting) == (10, 0, 90)
    assert found.limit is Why.RATE


def test_no_shows_cost_time_and_no_unit():
    found = simulate(replace(PROMPT, people=1000, no_shows=0.5))

    assert len(found.waits) == 10
    assert found.called == found.no_shows + 10
    assert found.sold_out_at == 1000 * found.called


def test_who_joins_later_waits_from_then_on():
    # twelve a minute: one each 5 s, and one is called each second
    found = simulate(replace(PROMPT, people=2, units=4, arrivals=12))

    assert found.waits == [1000, 2000, 0, 0]
    assert found.limit is Why.NOBODY


def test_the_inside_is_never_fuller_than_allowed():
    found = simulate(replace(BUSY, max_inside=20))

    assert found.most_inside == 20
    assert found.limit is Why.INSIDE


@pytest.mark.parametrize("seed", range(20))
def test_few_of_the_admitted_find_nothing(seed):
    # s units were left at the last admission, and min(200, 1.5 s) inside: at most 67 more
    found = simulate(replace(BUSY, leavers=0.3), seed)

    assert len(found.waits) == 500
    assert found.refused <= 67
    assert found.most_inside <= 200
    counted = len(found.waits) + found.left + found.too_slow + found.refused
    assert counted == found.admitted
    came = found.admitted + found.lapsed + found.turned_away
    assert found.called == found.no_shows + came


def test_a_slow_pipeline_lowers_the_rate():
    quick, slow = (simulate(replace(BUSY, orders_per_second=rate)) for rate in (100, 0.5))

    assert slow.sold_out_at > 2 * quick.sold_out_at
    assert slow.limit is Why.PIPELINE


def test_units_that_nobody_wants_are_left():
    found = simulate(replace(PROMPT, no_shows=1))

    assert (found.sold_out_at, found.wait(0.5), found.still_waiting) == (None, None, 0)
    assert found.called == found.no_shows == 100


def test_a_room_that_never_ends_is_given_up_after_a_day():
    found = simulate(replace(PROMPT, arrivals=60, no_shows=1))

    assert found.sold_out_at is None
    assert found.called > 86_000


def test_the_pipeline_writes_one_order_after_the_other():
    pipeline = Pipeline(orders_per_second=2)
    pipeline.add(0)
    pipeline.add(100)

    assert [pipeline.age(now) for now in (400, 600, 1000)] == [400, 500, 0]


def test_the_same_seed_gives_the_same_course():
    assert simulate(BUSY, 7) == simulate(BUSY, 7) != simulate(BUSY, 8)
