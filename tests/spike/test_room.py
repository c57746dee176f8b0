"""`make spike ROOM=1` against the deployed application, and what it finds."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from flashsale.services import Services
from flashsale.usecases.books import Books
from flashsale_local.deployment.target import Edge
from loadtest.spike.polls import Calls, PollCost
from loadtest.spike.room import RoomSpike, hold_with_room
from loadtest.spike.room_outcome import Estimates, RoomResult, RoomSummary, figures, findings
from loadtest.spike.view import room_table

COUNTS = dict.fromkeys(
    ("joined", "polls", "called", "no_shows", "admitted", "room_full", "lapsed", "turned_away",
     "bought", "nothing_left", "admission_over", "gave_up", "other_place", "crashes_refused",
     "crashes_sold_out", "crashes_bought", "failed"), 0,
)  # fmt: skip
BEFORE = Books("p", (), 10, 10, 10, confirmed=0, cancelled=0)
SOLD = Books("p", (5,), 10, 6, 0, confirmed=4, cancelled=0)


def result(most_inside=3, commands=0, **counts):
    summary = RoomSummary(
        20.0,
        {**COUNTS, "bought": 4, **counts},
        {"p50": 2.0, "p95": 4.0},
        {"early": Estimates(None, None), "later": Estimates({"p50": 1.0, "p95": 2.0}, 0.75)},
    )
    calls = Calls({"zrevrange": 5, "zremrangebyscore": 11, "zscore": 13})
    polls = PollCost(1000, 4.0, refreshes=8, commands=commands)
    return RoomResult(summary, most_inside, 3, polls, calls, BEFORE, SOLD, left=0)


def test_a_room_that_held_gives_no_finding():
    assert findings(result()) == []
    assert result().overshoot == 0


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"most_inside": 5}, "5 were inside at once, and 3 may be"),
        ({"crashes_bought": 2}, "2 purchases were accepted without an admission"),
        ({"commands": 500}, "A poll costs Redis 0.50 commands"),
        ({"other_place": 1}, "1 buyers computed another place"),
        ({"failed": 7}, "7 requests failed"),
        ({"bought": 5}, "1 accepted purchases have no order"),
        ({"bought": 0}, "Nobody bought"),
    ],
)
def test_what_is_wrong_with_a_room_is_found(changes, text):
    (finding,) = findings(result(**changes))

    assert text in finding


def test_units_that_were_lost_behind_a_room_are_found():
    lost = replace(result(), after=Books("p", (5,), 10, 5, 0, confirmed=4, cancelled=0), left=2)

    assert [text.split(":")[0] for text in findings(lost)] == [
        "1 units are lost", "2 messages and claims are still on their way."
    ]  # fmt: skip


def test_refused_claims_are_told_apart_by_the_commands_of_the_scripts():
    # 11 - 5 runs of admit.lua and 13 - 6 claims, of which 4 bought; 3 of 9 refused ones
    found = result(crashes_refused=8, nothing_left=1)

    assert (found.refused_by_script, found.refused_at_edge) == (3, 6)
    assert found.overshoot == 0


def test_overshoot_counts_both_ways_past_the_room():
    assert result(most_inside=5, crashes_bought=1).overshoot == 3


@pytest.fixture
async def shop(target, migrated):
    """The services of a shop that signs tickets as the edge of `target` does."""
    shop = Services(replace(migrated, room_secrets=(target.room_secret,)))
    yield shop
    await shop.close()


async def test_a_sale_behind_a_room_is_held_and_reported(target, shop, tmp_path):
    asked = RoomSpike(
        Edge.ASGI, buyers=30, stock=6, per_minute=300, max_inside=3, no_shows=0.2, opens_in=6,
        seconds=90, poll_seconds=2,
    )  # fmt: skip

    held = await hold_with_room(target, shop, asked, tmp_path)

    assert findings(held) == []
    counts = held.summary.counts
    assert counts["joined"] == 30
    assert counts["bought"] == held.after.confirmed == 6
    assert 0 < held.most_inside <= 3
    assert counts["joined"] == counts["called"] + counts["gave_up"]
    came = counts["admitted"] + counts["turned_away"]
    assert counts["called"] == counts["no_shows"] + came
    assert counts["admitted"] == counts["bought"] + counts["nothing_left"]
    assert held.polls.polls > 100 > held.polls.refreshes > 0
    assert counts["crashes_refused"] > 0
    assert figures(held)["redis_commands_per_poll"] == held.polls.per_poll
    screen = io.StringIO()
    Console(file=screen, width=80).print(room_table(held))
    for line in ("refused inside", "overshoot", "claims refused by the script", "a poll"):
        assert line in screen.getvalue()
