"""Admin API: stop the calls of a waiting room, go on, and set their rate."""

from dataclasses import replace

import pytest

from flashsale.redis_store.scripts import Keys
from flashsale.usecases import sales
from tests.helpers.support import USERS
from tests.integration.roomed_sale import RoomedSale


@pytest.fixture
async def roomed(services, new_product):
    sale = RoomedSale(services, await new_product(10, on_sale=False))
    assert await sale.open() is None
    return sale


async def test_an_admin_stops_the_calls_and_sets_their_rate(desk, roomed):
    id_, services = roomed.product_id, roomed.services

    paused = await desk.act(id_, "room/pause", key=f"pause-{id_}")
    faster = await desk.act(id_, "room/rate", {"maxRate": 1200}, key=f"rate-{id_}")
    repeated = await desk.act(id_, "room/rate", {"maxRate": 1200}, key=f"rate-{id_}")
    stored = await roomed.row()
    resumed = await desk.act(id_, "room/resume")

    answers = [paused, faster, repeated, resumed]
    assert [answer.status_code for answer in answers] == [200] * 4, paused.text
    assert (paused.json()["why"], paused.json()["maxRate"]) == ("paused", 60_000)
    assert (faster.json()["why"], faster.json()["maxRate"]) == ("paused", 1200)
    assert resumed.json() == {
        "productId": id_, "epoch": 1, "mode": "draw_at_opening", "state": "prequeue", "issued": 0,
        "serving": 0, "waiting": 0, "inside": 0, "maxInside": 3, "rate": 1200, "maxRate": 1200,
        "why": "nobody",
    }  # fmt: skip
    assert (stored.paused, stored.terms.max_rate) == (True, 1200)
    assert (await roomed.row()).paused is False
    entries = await desk.audit_of(id_)
    assert [(e.action, e.outcome) for e in entries] == [
        ("room resume", "done"), ("room rate", "done"), ("room pause", "done"),
    ]  # fmt: skip
    assert entries[1].arguments == {"maxRate": 1200}
    roomed.terms = replace(roomed.terms, room=(await roomed.row()).terms)
    assert await sales.open_sale(services, id_, roomed.terms) is None, "these are its terms now"


@pytest.mark.parametrize(
    ("path", "body"), [("pause", None), ("resume", {}), ("rate", {"maxRate": 9})]
)
async def test_a_product_without_a_room_has_nothing_to_stop(desk, new_product, path, body):
    answer = await desk.act(await new_product(3), f"room/{path}", body)

    assert (answer.status_code, answer.json()["code"]) == (409, "no_room")


@pytest.mark.parametrize(
    "body", [{}, {"maxRate": 0}, {"maxRate": 1.5}, {"rate": 60}, None], ids=str
)
async def test_a_rate_that_cannot_be(desk, roomed, body):
    answer = await desk.act(roomed.product_id, "room/rate", body)

    assert answer.status_code == 422
    assert (await roomed.row()).terms.max_rate == 60_000


async def test_a_lost_room_is_not_controlled_but_as_the_admin_wants_it_later(desk, roomed):
    await roomed.lose(sale=True, queue=False)

    answer = await desk.act(roomed.product_id, "room/pause")

    assert (answer.status_code, answer.json()["code"]) == (409, "needs_rebuild")
    assert (await roomed.row()).paused is True
    (entry,) = await desk.audit_of(roomed.product_id)
    assert entry.outcome == "needs_rebuild"


async def test_the_room_of_an_ended_sale_calls_nobody(roomed):
    await roomed.join(USERS[0])
    await roomed.begin()
    await roomed.draw()
    await sales.end_sale(roomed.services, roomed.product_id)

    assert await roomed.call() == 0
    assert await roomed.services.redis.zcard(Keys(roomed.product_id).inside) == 0
