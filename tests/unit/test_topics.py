"""What live streams say of a sale: each change once, and nothing that nobody needs."""

import json
from dataclasses import replace

from flashsale.domain.claims import Snapshot
from flashsale.redis_store.room_copies import RoomCopy
from flashsale_server.edge import topics
from flashsale_server.edge.topics import SaleTopic

NO_ROOM = RoomCopy(None, (0.0, 0.0), (0.0, 0.0))
SALE = Snapshot(10, 0, 10, 0, 0, 0, 0)
SOLD = replace(SALE, stock=9, unsettled=1)


def events(topic):
    frames = topic.frames.decode().split("\n\n")[:-1]
    return [(f.split("\n")[0][7:], json.loads(f.split("data: ")[1])) for f in frames]


async def test_only_a_change_is_a_new_state():
    topic, versions = SaleTopic("p-01"), []
    for snapshot in (SALE, SALE, SOLD, SOLD, SALE):
        assert topic.show(NO_ROOM, snapshot)
        versions.append(topic.version)

    assert versions == [1, 1, 2, 2, 3]


async def test_an_unchanged_state_is_told_again_after_a_time(monkeypatch):
    topic = SaleTopic("p-01")
    topic.show(NO_ROOM, SALE)
    monkeypatch.setattr(topics, "SEND_AGAIN", 0.0)
    topic.show(NO_ROOM, SALE)

    assert topic.version == 2
    assert topics.SEND_AGAIN <= 10


async def test_who_comes_later_gets_the_present_time():
    topic = SaleTopic("p-01")
    topic.show(NO_ROOM, SALE)
    ((_, first),) = events(topic)
    topic.frames = b""
    topic.show(NO_ROOM, SALE)
    ((name, later),) = events(topic)

    assert name == "sale"
    assert {**later, "now": first["now"]} == first


async def test_an_outage_is_told_once_with_the_last_state():
    topic = SaleTopic("p-01")
    topic.show(NO_ROOM, SALE)
    topic.fail()
    topic.fail()
    down, version = events(topic), topic.version
    topic.show(NO_ROOM, SALE)

    assert version == 2
    assert [name for name, _ in down] == ["unknown", "sale"]
    assert down[0][1] == {"what": "redis"}
    assert (down[1][1]["stock"]["stock"], down[1][1]["stale"]) == (10, True)
    ((_, up),) = events(topic)
    assert (topic.version, up["stale"]) == (3, False)


async def test_a_product_without_sale_and_room_has_no_state():
    topic = SaleTopic("p-01")

    assert not topic.show(NO_ROOM, None)
    assert not topic.show(NO_ROOM, replace(SALE, generation=4))
