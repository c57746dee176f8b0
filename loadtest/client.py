"""A small HTTP/1.1 load client, which leaves as much CPU as possible to the server.

httpx takes about ten times as long for a request. On two cores, it would measure the client.
"""

import asyncio
import re
import time
from collections.abc import Iterable, Iterator
from typing import cast
from urllib.parse import urlsplit

from flashsale_local.clouds.endpoint import Endpoint
from flashsale_local.sale.answers import AnswerKind, classify_answer
from loadtest.samples import NO_ANSWER, Load, Sample

# The original's spike had as many virtual users.
MAX_CONNECTIONS = 2000
# Seconds. For the buyer, an answer that takes longer is a failure.
ANSWER_TIMEOUT = 10.0

ORDER_ID = re.compile(rb'"orderId":"([^"]+)"')
DATABASE_DOWN = b"The orders service does not answer"


class _Connection(asyncio.Protocol):
    """A connection with one request at a time. `answered` yields the status and the body."""

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: asyncio.Transport
        self.answered: asyncio.Future[tuple[int, bytes]]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's class has another base

    def send(self, request: bytes) -> "asyncio.Future[tuple[int, bytes]]":
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
            if not self.answered.done():
                self.answered.set_result((int(head[9:12]), body))

    def connection_lost(self, exc: Exception | None) -> None:
        if hasattr(self, "answered") and not self.answered.done():
            self.answered.set_exception(exc or ConnectionError("the server closed the connection"))

    @property
    def closed(self) -> bool:
        return self._transport.is_closing()

    def close(self) -> None:
        self._transport.close()


class _Client:
    """Sends requests to one path, over one connection for each concurrent request."""

    def __init__(
        self, endpoint: Endpoint, path: str, bodies: Iterator[str], method: str = "POST"
    ) -> None:
        parts = urlsplit(endpoint.url)
        self._address = parts.hostname or "", parts.port or 80
        headers = {"host": parts.netloc, "content-type": "application/json", **endpoint.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._head = f"{method} {parts.path}{path} HTTP/1.1\r\n{lines}content-length: "
        self._bodies = bodies
        self._idle: list[_Connection] = []
        self.load = Load(time.time())
        self.began = time.perf_counter()

    async def attempt(self, due: float) -> None:
        """Make one request. Its latency counts from `due`, in seconds after the start."""
        body = next(self._bodies)
        request = f"{self._head}{len(body)}\r\n\r\n{body}".encode()
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT):
                connection = await self._connection()
                try:
                    status, answer = await connection.send(request)
                except BaseException:
                    connection.close()
                    raise
        except OSError:  # TimeoutError is one
            sample = Sample(due, self._now - due, NO_ANSWER, AnswerKind.FAILED)
        else:
            self._idle.append(connection)
            sample = _sample(due, self._now - due, status, answer)
        self.load.samples.append(sample)

    def end(self) -> Load:
        """Close the connections and return what was seen."""
        self.load.elapsed = self._now
        for connection in self._idle:
            connection.close()
        return self.load

    @property
    def _now(self) -> float:
        return time.perf_counter() - self.began

    async def _connection(self) -> _Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.closed:
                return connection
        loop = asyncio.get_running_loop()
        _, made = await loop.create_connection(_Connection, *self._address)
        return made


def _sample(due: float, seconds: float, status: int, answer: bytes) -> Sample:
    kind = classify_answer(status, answer)
    order_id = ORDER_ID.search(answer) if kind is AnswerKind.ACCEPTED else None
    return Sample(
        due,
        seconds,
        status,
        kind,
        order_id[1].decode() if order_id else "",
        database_failed=status == 503 and DATABASE_DOWN in answer,
    )


async def closed_loop(
    endpoint: Endpoint,
    path: str,
    bodies: Iterator[str],
    connections: int,
    seconds: float,
    method: str = "POST",
) -> Load:
    """Send requests over so many connections, each of which waits for its answers."""
    client = _Client(endpoint, path, bodies, method)

    async def loop() -> None:
        now = 0.0  # each connection makes an attempt, also if this process is late
        while now < seconds:
            await client.attempt(now)
            now = time.perf_counter() - client.began

    await asyncio.gather(*(loop() for _ in range(connections)))
    return client.end()


async def open_loop(
    endpoint: Endpoint, path: str, bodies: Iterator[str], due: Iterable[float]
) -> Load:
    """Send a request at each moment of `due`, in seconds after the start; do not wait for answers.

    A latency counts from the moment at which the request was due. So a server that stalls cannot
    hide this by making the client wait.
    """
    client = _Client(endpoint, path, bodies)
    waiting: set[asyncio.Task[None]] = set()
    for moment in due:
        if (early := client.began + moment - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        if len(waiting) >= MAX_CONNECTIONS:
            client.load.dropped += 1
            continue
        task = asyncio.create_task(client.attempt(moment))
        waiting.add(task)
        task.add_done_callback(waiting.discard)
    while waiting:
        await asyncio.gather(*waiting)
    return client.end()


async def constant_rate(
    endpoint: Endpoint, path: str, bodies: Iterator[str], rate: float, seconds: float
) -> Load:
    """Send `rate` requests per second for `seconds` seconds."""
    due = (number / rate for number in range(int(rate * seconds)))
    return await open_loop(endpoint, path, bodies, due)
