"""The gate that withholds a request or its answer, in front of a real server."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from flashsale_local.sale.gate import Gate, Point
from flashsale_local.stack.program import free_port


@asynccontextmanager
async def echo():
    """Run a server that answers each request with itself; yield its URL and what it got."""
    got = []

    async def serve(reader, writer):
        while request := await reader.read(1000):
            got.append(request)
            writer.write(request)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield f"echo://127.0.0.1:{port}/0", got


@asynccontextmanager
async def through_a_gate(url):
    gate = Gate(url, free_port())
    async with gate.open():
        port = int(gate.url.rsplit(":", 1)[1].partition("/")[0])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield gate, reader, writer
        finally:
            writer.close()


async def test_a_gate_forwards_what_it_is_not_to_withhold():
    async with echo() as (url, got), through_a_gate(url) as (gate, reader, writer):
        gate.points = [Point("p-1", "INSERT")]
        for request in (b"p-1 SELECT", b"p-2 INSERT"):
            writer.write(request)

            assert await reader.read(1000) == request
        assert not gate.points[0].reached.is_set()
        assert got == [b"p-1 SELECT", b"p-2 INSERT"]


@pytest.mark.parametrize("answer", [False, True], ids=["the request", "the answer"])
async def test_a_gate_withholds(answer):
    async with echo() as (url, got):
        async with through_a_gate(url) as (gate, reader, writer):
            gate.points = [Point("p-1", answer=answer)]

            writer.write(b"p-1")
            async with asyncio.timeout(60):
                await gate.points[0].reached.wait()

            assert got == ([b"p-1"] if answer else [])
        # The end of the gate closes the connection, and the client got no byte.
        assert await reader.read() == b""


async def test_a_client_sees_a_stopped_server_behind_a_gate():
    async with through_a_gate(f"echo://127.0.0.1:{free_port()}") as (_, reader, _writer):
        assert await reader.read() == b""
