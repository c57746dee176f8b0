"""The benchmark of waiting rooms: what it counts, and what it sends."""

import pytest

from flashsale.domain.rooms import AdmissionCheck
from flashsale.redis_store.scripts import Keys
from loadtest.finding import Finding, ratios
from loadtest.rooms import checks, claims
from loadtest.rooms.polls import Counted, Round
from loadtest.rooms.shop import claims_of, new_users
from loadtest.samples import Load


class Stats:
    """Counters of Redis, as its command INFO gives them."""

    def __init__(self, **calls):
        self._calls = {f"cmdstat_{name}": {"calls": count} for name, count in calls.items()}

    def info(self, section):
        assert section == "commandstats"
        return self._calls


def a_round(*, seconds, polls, renewals, idle, busy):
    load = Load(0.0, [None] * polls, seconds)
    return Round(load, Counted(idle, 0), Counted(busy, renewals))


def test_all_commands_count_but_those_that_read_the_counters():
    counted = Counted.of(Stats(info=7, evalsha=4, hmget=6, zremrangebyscore=2))

    assert counted == Counted(12, 2)
    assert Counted.of(Stats(info=1)) == Counted(0, 0)
    assert counted.since(Counted(10, 1)) == Counted(2, 1)


def test_only_commands_beyond_idling_and_renewals_count_for_polls():
    one = a_round(seconds=4.0, polls=1000, renewals=8, idle=50, busy=50 + 8 * 14)

    assert one.others_a_poll(each=14) == 0
    assert one.renewals_a_second(workers=2) == 0.75

    each_poll_asks = a_round(seconds=4.0, polls=1000, renewals=8, idle=50, busy=1050 + 8 * 14)
    assert each_poll_asks.others_a_poll(each=14) == 1


def test_each_sale_with_a_room_is_compared_with_the_same_without():
    for name, other in claims.PAIRS.items():
        assert claims.SALES[name] == (claims.SALES[other][0], True)
        assert not claims.SALES[other][1]


def test_every_claim_is_of_another_user_and_needs_no_other_key():
    users = new_users(3)

    keys, arguments = claims_of("p-01", users)

    names = Keys("p-01")
    assert keys == [names.stock, names.ledger, names.sale, names.buyers, names.lease, names.inside]
    assert [one[0] for one in arguments] == users
    assert len({*users, *new_users(3)}) == 6


async def test_the_admission_that_is_checked_is_valid(monkeypatch):
    monkeypatch.setattr(checks, "CHECKS", 3)

    (found,) = await checks.check_admissions(None)

    assert len(found.values) == checks.ROUNDS
    assert found.goal == "≤ 0.1"

    monkeypatch.setattr(checks.RoomTokens, "check_admission", lambda *_: AdmissionCheck.OVER)
    with pytest.raises(AssertionError):
        await checks.check_admissions(None)


def test_a_goal_is_for_the_median_of_pairs():
    pairs = ratios([8.0, 9.0, 30.0], [10.0, 10.0, 10.0])

    assert Finding("a ratio", pairs, least=0.9).met
    assert not Finding("a ratio", pairs, most=0.8).met
    assert Finding("a ratio", pairs).met is None
