"""Our load client, against a small server whose answers a test chooses."""

import asyncio
import itertools
from contextlib import asynccontextmanager

import pytest

from flashsale_local.clouds.endpoint import Endpoint
from flashsale_local.sale.answers import AnswerKind
from loadtest import client
from loadtest.client import closed_loop, constant_rate, open_loop

BODIES = itertools.repeat('{"productId": "p", "userId": "u"}')


@asynccontextmanager
async def server(answer):
    """Serve `await answer(head, body)`: the bytes of an HTTP answer, or None to close."""

    async def serve(reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r")[0])
                reply = await answer(head, await reader.readexactly(length))
                if reply is None:
                    return
                writer.write(reply)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    running = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with running:
        port = running.sockets[0].getsockname()[1]
        yield Endpoint(f"http://127.0.0.1:{port}/base", {"host": "shop.test"})


def reply(status, body):
    return f"HTTP/1.1 {status} Some\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


async def test_each_answer_is_counted_by_its_kind():
    replies = [
        reply(202, '{"orderId":"o-1"}'),
        reply(409, '{"code":"sold_out"}'),
        reply(429, ""),
        reply(404, "{}"),
        reply(503, '{"message":"The orders service does not answer; try again"}'),
        reply(503, '{"message":"The stock service does not answer; try again"}'),
        None,
    ]
    waiting = iter(replies)
    heads = []

    async def answer(head, _):
        heads.append(head)
        return next(waiting)

    async with server(answer) as endpoint:
        load = await constant_rate(endpoint, "/buy", BODIES, rate=len(replies) * 10, seconds=0.1)

    assert [load.count(kind) for kind in AnswerKind] == [1, 1, 1, 1, 3]
    assert {sample.order_id for sample in load.samples} == {"o-1", ""}
    assert sum(sample.database_failed for sample in load.samples) == 1
    assert load.statuses == {202: 1, 409: 1, 429: 1, 404: 1, 503: 2, 0: 1}
    assert all(head.startswith(b"POST /base/buy HTTP/1.1\r\n") for head in heads)
    assert all(b"host: shop.test\r\n" in head for head in heads)


async def test_a_stalled_server_cannot_hide_its_latency():
    """Requests that were due during the stall are sent anyway, and their wait counts."""
    arrived, released = [], asyncio.Event()

    async def answer(*_):
        arrived.append(None)
        if len(arrived) == 20:
            released.set()
        await released.wait()
        return reply(202, "{}")

    async with server(answer) as endpoint:
        load = await constant_rate(endpoint, "/buy", BODIES, rate=200, seconds=0.1)

    assert load.count(AnswerKind.ACCEPTED) == 20
    by_due = sorted(load.samples, key=lambda sample: sample.due)
    assert by_due[0].seconds > by_due[-1].seconds


async def test_no_more_connections_than_virtual_users(monkeypatch):
    monkeypatch.setattr(client, "MAX_CONNECTIONS", 3)
    arrived, released = [], asyncio.Event()

    async def answer(*_):
        arrived.append(None)
        await released.wait()
        return reply(202, "{}")

    async with server(answer) as endpoint:
        due = iter([0.0] * 10)
        loading = asyncio.create_task(open_loop(endpoint, "/buy", BODIES, due))
        while len(arrived) < 3:
            await asyncio.sleep(0.01)
        released.set()
        load = await loading

    assert (load.count(AnswerKind.ACCEPTED), load.dropped) == (3, 7)


async def test_a_missing_answer_is_a_failure(monkeypatch):
    monkeypatch.setattr(client, "ANSWER_TIMEOUT", 0.05)
    over = asyncio.Event()

    async def answer(*_):
        await over.wait()

    async with server(answer) as endpoint:
        load = await open_loop(endpoint, "/buy", BODIES, [0.0])
        over.set()  # since Python 3.12 a server waits for its last connection

    assert [(sample.kind, sample.status) for sample in load.samples] == [(AnswerKind.FAILED, 0)]


async def test_a_closed_loop_keeps_its_connections():
    seen = set()

    async def answer(*_):
        seen.add(asyncio.current_task())
        return reply(200, "{}")

    async with server(answer) as endpoint:
        load = await closed_loop(endpoint, "/echo", BODIES, connections=4, seconds=0.2)

    assert len(seen) == 4
    assert load.rate(200) == pytest.approx(len(load.samples) / load.elapsed)
