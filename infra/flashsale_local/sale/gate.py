"""A TCP proxy that withholds a request or its answer, so that a process waits between two steps."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from flashsale_local.stack.program import HOST

CHUNK = 65_536


@dataclass
class Point:
    """A moment in a purchase: its process waits for a store, and can go no further.

    Attributes:
        product_id: the product that the request to the store names.
        text: what else is in that request.
        answer: withhold the answer, so the store has done its part. Otherwise the request is
            withheld, and the store never gets it.
        reached: set at that moment.

    """

    product_id: str
    text: str = ""
    answer: bool = False
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    def matches(self, request: bytes) -> bool:
        """Return whether this is the request. It comes in one piece: it is short."""
        return self.product_id.encode() in request and self.text.encode() in request


class Gate:
    """A proxy in front of one store."""

    def __init__(self, url: str, port: int) -> None:
        """Make a gate on `port` of this machine in front of the store at `url`."""
        self._upstream = urlsplit(url).port
        self._port = port
        self._connections: set[asyncio.Task[None]] = set()
        self.url = url.replace(f":{self._upstream}", f":{port}")
        self.points: list[Point] = []

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Forward until the end of the block, which closes all connections."""
        server = await asyncio.start_server(self._serve, HOST, self._port)
        try:
            yield
        finally:
            server.close()
            for connection in self._connections:
                connection.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._connect(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        withheld: list[Point] = []
        server_writer = None
        try:
            server_reader, server_writer = await asyncio.open_connection(HOST, self._upstream)
            directions = [
                asyncio.create_task(self._requests(reader, server_writer, withheld)),
                asyncio.create_task(_answers(server_reader, writer, withheld)),
            ]
            try:
                await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for direction in directions:
                    direction.cancel()
                await asyncio.gather(*directions, return_exceptions=True)
        except OSError:
            pass  # the client sees what a stopped server would show
        finally:
            for one in (writer, server_writer):
                if one:
                    one.close()

    async def _requests(
        self, client: asyncio.StreamReader, server: asyncio.StreamWriter, withheld: list[Point]
    ) -> None:
        while request := await client.read(CHUNK):
            for point in self.points:
                if point.matches(request):
                    if point.answer:
                        withheld.append(point)
                    else:
                        await _stop_at(point)
            server.write(request)
            await server.drain()


async def _answers(
    server: asyncio.StreamReader, client: asyncio.StreamWriter, withheld: list[Point]
) -> None:
    while answer := await server.read(CHUNK):
        for point in withheld:
            await _stop_at(point)
        client.write(answer)
        await client.drain()


async def _stop_at(point: Point) -> None:
    """Wait until the connection is closed."""
    point.reached.set()
    await asyncio.Event().wait()
