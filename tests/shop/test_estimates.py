"""web/state.js says the same of a wait and of a chance as domain/room_estimates.py."""

import itertools

from flashsale.domain.room_estimates import chance_of, wait_of
from flashsale.domain.rooms import Door, Mode, Queue, RoomView, Why
from flashsale.http.room_schemas import RoomBody

ESTIMATES = """async (examples) => {
  const { waitOf, chanceOf } = await import('/shop/files/state.js');
  return examples.map(([room, ahead]) => [waitOf(room, ahead), chanceOf(room, ahead)]);
}"""
OPENED = 1_800_000_000_000
# Milliseconds since the opening, calls of the last minute, users inside, units, held units, ahead.
EXAMPLES = itertools.product(
    (0, 14_999, 15_000, 31_234, 59_999, 60_000, 3_600_000),
    (0, 1, 7, 600),
    (0, 5),
    (0, 6, 100),
    (0, 20),
    (0, 1, 94, 95, 313, 314, 4711),
)


def _view(since, recent, inside, stock, held):
    queue = Queue(
        epoch=1, mode=Mode.DRAW, from_at=0, opens_at=OPENED, now=OPENED + since, issued=5000,
        drawn=5000, shown=True, commitment="00" * 32, seed="00" * 32,
    )  # fmt: skip
    door = Door(
        epoch=1, serving=0, rate=10, max_rate=10, max_inside=200, recent=recent, inside=inside,
        admitted=0, stock=stock, held=held, state="open", why=Why.RATE,
    )  # fmt: skip
    return RoomView(queue, door)


async def test_the_page_estimates_as_the_shop_does(shop):
    buyer = await shop.visit("no-such-product")
    views = [(_view(*given), ahead) for *given, ahead in EXAMPLES]
    examples = [
        (RoomBody.of(view, stale=False).model_dump(mode="json", by_alias=True), ahead)
        for view, ahead in views
    ]

    estimates = await buyer.page.evaluate(ESTIMATES, examples)

    for (view, ahead), (wait, chance) in zip(views, estimates, strict=True):
        expected = wait_of(view, ahead)
        assert (tuple(wait) if wait else None) == expected, (view, ahead)
        assert chance == chance_of(view, ahead).value
    assert len(estimates) > 2000
