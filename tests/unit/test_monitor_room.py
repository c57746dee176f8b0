"""The live page's line on a waiting room, and which rooms are in trouble."""

from dataclasses import replace

import pytest

from flashsale.domain.room_figures import RoomFigures, RoomTrouble
from flashsale.domain.rooms import Why
from flashsale_local.live_page.room import WHY, described

ROOM = RoomFigures(
    "p", 1, lost=False, opened=True, ended=False, issued=12_000, serving=1_000, inside=40,
    max_inside=200, rate=10.0, max_rate=10.0, admitted=900, units=300, why=Why.RATE,
    since_call=1.0, since_look=1.0, claim_age=0.1,
)  # fmt: skip
SLOW = {"rate": 0.5, "claim_age": 2.1}


def test_the_line_says_who_waits_who_is_inside_and_how_fast_it_calls():
    assert described(ROOM) == (
        "11,000 waiting, 40 of 200 inside, 600 calls a minute: limited by the rate."
    )


def test_the_line_names_the_alert_of_a_room_in_trouble():
    assert "RoomStuck" in described(replace(ROOM, since_call=301))
    assert "RoomPaused" in described(replace(ROOM, **SLOW))


def test_each_reason_has_its_words():
    assert set(WHY) == set(Why)
    assert len(set(WHY.values())) == len(Why)


@pytest.mark.parametrize(
    ("changes", "trouble"),
    [
        ({}, None),
        ({"since_call": 300}, None),
        ({"since_call": 301}, RoomTrouble.STUCK),
        ({"since_call": 301, "opened": False}, None),
        ({"since_call": 301, "ended": True}, None),
        ({"since_call": 301, "serving": 12_000}, None),
        ({"since_call": 301, "units": 0}, None),
        ({"since_call": 301, "inside": 200}, None),
        ({"since_call": 301, "units": 26}, None),
        ({"since_call": 301, "units": 27}, RoomTrouble.STUCK),
        ({"since_call": 301, "why": Why.PAUSED}, None),
        ({"since_call": 901, "why": Why.PAUSED}, RoomTrouble.PAUSED),
        ({"since_call": 901, "why": Why.PAUSED, "units": 0}, None),
        (SLOW, RoomTrouble.PAUSED),
        ({**SLOW, "claim_age": 2.0}, None),
        ({**SLOW, "rate": 0.6}, None),
        ({**SLOW, "max_rate": 0.5}, None),
        ({**SLOW, "inside": 200}, None),
        ({"lost": True, "opened": False}, RoomTrouble.STUCK),
        ({"lost": True, "opened": False, "ended": True}, None),
    ],
)
def test_a_room_is_in_trouble_only_if_an_operator_can_help(changes, trouble):
    assert replace(ROOM, **changes).trouble is trouble
