"""When a live stream ends, and what its client is told."""

import asyncio
import math

import pytest

from flashsale_server.edge import listeners, topics
from flashsale_server.edge.listeners import AGED, BEAT, FINAL, RESTART, WRITE_TIME, Listener
from flashsale_server.edge.topics import FEW, Topic


def new_listener(until=math.inf):
    return Listener("sale", "", ("127.0.0.1", "1"), until)


def now():
    return asyncio.get_running_loop().time()


class Numbers(Topic):
    """States that are numbers."""

    def __init__(self):
        super().__init__("sale", "numbers", "nothing")

    def show(self, number):
        self._publish(b"%d\n\n" % number)


async def test_a_stream_lives_five_minutes_give_or_take_a_fifth():
    streams = [new_listener() for _ in range(200)]
    began = now()

    ended = []
    for seconds in (239, 300, 361):
        for stream in streams:
            stream.check(began + seconds)
        ended.append(sum(stream.reason == AGED for stream in streams))

    assert ended[0] == 0
    assert 20 < ended[1] < 180, "they do not end together"
    assert ended[2] == 200


async def test_a_comment_comes_when_there_was_nothing_to_send(monkeypatch):
    monkeypatch.setattr(listeners, "BEAT", 0.0)
    assert await asyncio.wait_for(new_listener().next(), 30) == b": ping\n\n"
    assert BEAT <= 10


async def test_a_slow_reader_gets_the_newest_state_only():
    topic, listener = Numbers(), new_listener()
    listener.follow(topic)
    topic.show(1)
    assert await listener.next() == b"1\n\n"

    for number in (2, 3, 4):  # while the client reads the first one
        topic.show(number)
        await topic.tell()

    assert await listener.next() == b"4\n\n"
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(listener.next(), 0.05)


async def test_listeners_are_woken_a_few_at_a_time(monkeypatch):
    monkeypatch.setattr(topics, "PAUSE", 0.0)
    topic, streams = Numbers(), [new_listener() for _ in range(3 * FEW)]
    for stream in streams:
        stream.follow(topic)
    reading = [asyncio.ensure_future(stream.next()) for stream in streams]
    await asyncio.sleep(0)  # all of them wait
    topic.show(1)

    telling = asyncio.ensure_future(topic.tell())
    await asyncio.sleep(0)

    assert sum(stream._wake.is_set() for stream in streams) == FEW
    await telling
    assert {await task for task in reading} == {b"1\n\n"}


async def test_a_client_that_does_not_read_has_ten_seconds():
    topic, listener = Numbers(), new_listener()
    listener.follow(topic)
    topic.show(1)
    await listener.next()  # it is written now

    assert listener.check(now() + WRITE_TIME - 1)
    assert not listener.check(now() + WRITE_TIME + 1)
    assert await listener.next() == b""
    assert listener.goodbye() == b"", "nobody would read it"


@pytest.mark.parametrize(("reason", "comes_back"), [(RESTART, True), (AGED, True), (FINAL, False)])
async def test_who_should_come_back_is_told_when(reason, comes_back):
    listener = new_listener()
    listener.end(reason)

    assert await listener.next() == b""
    assert (b"retry: 3000\n" in listener.goodbye()) == comes_back
    assert b'data: {"reason":"%s"}\n' % reason.encode() in listener.goodbye()
