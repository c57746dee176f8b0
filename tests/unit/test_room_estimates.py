"""What clients of a room are told about their wait, for rooms of every size and speed."""

import pytest

from flashsale.domain.room_estimates import Chance, chance_of, poll_after, wait_of
from flashsale.domain.rooms import Door, Mode, Queue, RoomState, RoomView, Why

MINUTE = 60_000


def view(*, opened=10 * MINUTE, issued=0, serving=0, shown=True, from_at=0, **door):
    """Return a room that opened so many ms ago."""
    queue = Queue(1, Mode.DRAW, from_at, 0, opened, issued, 0 if shown else None, shown, "c", "s")
    fields = {
        "epoch": 1, "serving": serving, "rate": 1.0, "max_rate": 1.0, "max_inside": 9, "recent": 0,
        "inside": 0, "admitted": 0, "stock": 10, "held": 0, "state": "open", "why": Why.RATE,
    }  # fmt: skip
    return RoomView(queue, Door(**{**fields, **door}))


@pytest.mark.parametrize(
    ("waiting", "seconds"), [(0, 2), (4_000, 2), (20_000, 10), (60_000, 30), (1_000_000, 30)]
)
def test_the_more_clients_wait_the_less_often_each_looks(waiting, seconds):
    assert poll_after(view(issued=waiting + 5, serving=5)) == seconds


@pytest.mark.parametrize(
    ("recent", "opened", "ahead", "wait"),
    [
        (60, 10 * MINUTE, 100, (70, 130)),
        (600, 10 * MINUTE, 5, (0, 1)),
        (60, 30_000, 100, (35, 65)),  # in half a minute
        (1, 0, 10, (7, 13)),
        (60, 10 * MINUTE, 0, (0, 0)),
        (0, 10 * MINUTE, 100, None),
    ],
)
def test_the_wait_follows_the_calls_of_the_last_minute(recent, opened, ahead, wait):
    assert wait_of(view(recent=recent, opened=opened), ahead) == wait


@pytest.mark.parametrize(
    ("ahead", "inside", "stock", "held", "chance"),
    [
        (9, 0, 10, 0, Chance.LIKELY),
        (10, 0, 10, 0, Chance.UNCERTAIN),
        (5, 5, 10, 0, Chance.UNCERTAIN),
        (29, 0, 10, 0, Chance.UNCERTAIN),
        (30, 0, 10, 0, Chance.UNLIKELY),
        (0, 0, 0, 10, Chance.UNCERTAIN),
        (0, 0, 0, 0, Chance.UNLIKELY),
    ],
)
def test_the_chance_compares_users_with_units(ahead, inside, stock, held, chance):
    assert chance_of(view(inside=inside, stock=stock, held=held), ahead) is chance


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, RoomState.OPEN),
        ({"stock": 0}, RoomState.SOLD_OUT),
        ({"why": Why.PAUSED}, RoomState.PAUSED),
        ({"state": "paused", "stock": 0}, RoomState.PAUSED),
        ({"state": "ended", "stock": 0}, RoomState.ENDED),
        ({"shown": False}, RoomState.PREQUEUE),
        ({"shown": False, "from_at": 20 * MINUTE}, RoomState.CLOSED),
    ],
)
def test_the_state_is_what_a_client_can_do(changes, state):
    assert view(**changes).state is state
