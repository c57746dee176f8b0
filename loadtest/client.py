"""A small HTTP/1.1 load client: what a request costs here is taken from the server's cores.

httpx takes some ten times as long per request, which on two cores measures the client.
"""

import asyncio
import collections
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit


@dataclass
class Load:
    """What came back. `seconds` has one latency for each answer, in order of arrival."""

    statuses: collections.Counter[int] = field(default_factory=collections.Counter)
    seconds: list[float] = field(default_factory=list)
    elapsed: float = 0.0

    def rate(self, status: int) -> float:
        """Answers of this status per second."""
        return self.statuses[status] / self.elapsed

    def percentile_ms(self, percent: float) -> float:
        """A percentile of the latencies, in milliseconds."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] * 1000


class _Connection(asyncio.Protocol):
    """One request at a time; `answered` becomes the status of the answer."""

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: asyncio.Transport
        self.answered: asyncio.Future[int]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's has another base

    def send(self, request: bytes) -> "asyncio.Future[int]":
        self.answered = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self.answered

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)
        if len(body) >= length:
            self._buffer = b""
            self.answered.set_result(int(head[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        if hasattr(self, "answered") and not self.answered.done():
            self.answered.set_exception(exc or ConnectionError("the server closed the connection"))


def request(url: str, body: str) -> bytes:
    """A POST of JSON, as it goes over the wire."""
    parts = urlsplit(url)
    return (
        f"POST {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}"
    ).encode()


async def closed_loop(url: str, bodies: Iterator[str], connections: int, seconds: float) -> Load:
    """Each connection sends its next request when the answer to the last one is there."""
    load = Load()
    started = time.perf_counter()

    async def loop() -> None:
        connection = await _connect(url)
        while (now := time.perf_counter()) < started + seconds:
            load.statuses[await connection.send(request(url, next(bodies)))] += 1
            load.seconds.append(time.perf_counter() - now)

    await asyncio.gather(*(loop() for _ in range(connections)))
    load.elapsed = time.perf_counter() - started
    return load


async def constant_rate(url: str, bodies: Iterator[str], rate: int, seconds: float) -> Load:
    """`rate` requests a second, whatever the answers do.

    A latency counts from the moment at which the request was due, so a server that stalls cannot
    hide it by making this client wait.
    """
    load = Load()
    idle: list[_Connection] = []
    started = time.perf_counter()

    async def one(due: float) -> None:
        connection = idle.pop() if idle else await _connect(url)
        load.statuses[await connection.send(request(url, next(bodies)))] += 1
        load.seconds.append(time.perf_counter() - due)
        idle.append(connection)

    async with asyncio.TaskGroup() as tasks:
        for number in range(int(rate * seconds)):
            due = started + number / rate
            if (early := due - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            tasks.create_task(one(due))
    load.elapsed = time.perf_counter() - started
    return load


async def _connect(url: str) -> _Connection:
    parts = urlsplit(url)
    _, connection = await asyncio.get_running_loop().create_connection(
        _Connection, parts.hostname or "", parts.port or 80
    )
    return connection
